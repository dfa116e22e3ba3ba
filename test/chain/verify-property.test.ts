import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredRow } from "../../src/chain/verify.ts";
import {
  blames,
  edited,
  HASH,
  makeLog,
  OTHER_LOG,
  record,
  sealEvent,
  type TestEvent,
  type TestLog,
  walk,
} from "./support.ts";

const RUNS = { numRuns: 60 };

const event: fc.Arbitrary<TestEvent> = fc.record({
  action: fc.constantFrom("document.share", "user.login", "policy.update"),
  sections: fc.subarray([
    { name: "note", text: '{"id":"inv-1","reason":"why"}' },
    { name: "actor", text: '{"id":"u_1"}' },
    { name: "actor/detail", text: '{"name":"Jane","metadata":{"a":1,"a":2}}' },
    { name: "target/0", text: '{"id":"d_1"}' },
    { name: "target/10", text: '{"id":"d_10"}' },
    { name: "context", text: '{"ip":"192.0.2.1"}' },
    { name: "changes", text: '{"before":1.10,"after":-0,"fields":["x"]}' },
    { name: "metadata", text: "1e400" },
  ]),
});
const someLog = fc.array(event, { minLength: 1, maxLength: 12 }).map((events) => makeLog(events));

/** A tampering of rows: what it does, and exactly what must be said of it (null: it changes nothing here). */
type Tampering = { rows: StoredRow[]; blames: string[]; unvouched: { from: number; to: number }[] } | null;
type Tamper = (log: TestLog, a: number, b: number) => Tampering;

const below = (index: number) => (index === 0 ? [] : [{ from: 0, to: index - 1 }]);
const without = (log: TestLog, ...indexes: number[]) => log.rows.filter(({ index }) => !indexes.includes(index));
const at = (log: TestLog, index: number) => log.rows[index]!;
const sectionOf = (log: TestLog, index: number, pick: number) => {
  const names = Object.keys(record(at(log, index)).sections);
  return names[pick % names.length]!;
};
const editSection = (log: TestLog, index: number, name: string, edit: (text: string) => string): StoredRow[] => [
  ...without(log, index),
  edited(at(log, index), ({ sections }) => {
    sections[name]!.text = edit(sections[name]!.text);
  }),
];

const tampers: Record<string, Tamper> = {
  content: (log, a, b) => {
    const name = sectionOf(log, a, b);
    return {
      rows: editSection(log, a, name, (text) => `${text} `),
      blames: [`content_changed ${a} ${name}`],
      unvouched: [],
    };
  },
  gone: (log, a, b) => {
    const name = sectionOf(log, a, b);
    const rows = [...without(log, a), edited(at(log, a), ({ sections }) => delete sections[name])];
    return { rows, blames: [`unexplained_gap ${a} ${name}`], unvouched: [] };
  },
  leaf: (log, a, b) => {
    const changed = edited(at(log, a), (value) => {
      const position = b % value.leaf.length;
      const other = value.leaf[position] === "x" ? "y" : "x";
      value.leaf = value.leaf.slice(0, position) + other + value.leaf.slice(position + 1);
    });
    return { rows: [...without(log, a), changed], blames: [`leaf_changed ${a}`], unvouched: below(a) };
  },
  delete: (log, a) => ({ rows: without(log, a), blames: [`missing ${a}`], unvouched: below(a) }),
  swap: (log, a, b) => {
    if (a === b) return null;
    const rows = [...without(log, a, b), { ...at(log, a), index: b }, { ...at(log, b), index: a }];
    return { rows, blames: [`reordered ${a} at ${b}`, `reordered ${b} at ${a}`], unvouched: [] };
  },
  renumber: (log, a, b) => {
    if (a === b) return null;
    return {
      rows: [...without(log, a), { ...at(log, a), index: b }],
      blames: [`reordered ${a} at ${b}`],
      unvouched: [],
    };
  },
  beyond: (log, a, b) => {
    const index = log.rows.length + b;
    return {
      rows: [...without(log, a), { ...at(log, a), index }],
      blames: [`reordered ${a} at ${index}`],
      unvouched: [],
    };
  },
  copy: (log, a, b) => {
    if (a === b) return null;
    return {
      rows: [...without(log, b), { ...at(log, a), index: b }],
      blames: [`leaf_changed ${b}`],
      unvouched: below(b),
    };
  },
  copyBeside: (log, a, b) => ({
    rows: [...log.rows, { ...at(log, a), index: b }],
    blames: [`extra ${b}`],
    unvouched: [],
  }),
  foreign: (log, a) => {
    const { line } = sealEvent({}, { log: OTHER_LOG, index: a, prev: HASH });
    return { rows: [...without(log, a), { index: a, line }], blames: [`misrouted ${a}`], unvouched: below(a) };
  },
  foreignBeside: (log, a) => {
    const { line } = sealEvent({}, { log: OTHER_LOG, index: a, prev: HASH });
    return { rows: [...log.rows, { index: a, line }], blames: [`misrouted ${a}`], unvouched: [] };
  },
  insert: (log, a) => {
    const { line } = sealEvent({ action: "made.up" }, { index: a, prev: HASH });
    return { rows: [...log.rows, { index: a, line }], blames: [`extra ${a}`], unvouched: [] };
  },
  grow: (log, _, b) => {
    const index = log.rows.length + b;
    const { line } = sealEvent({}, { index, prev: log.sealed.at(-1)!.prev });
    return { rows: [...log.rows, { index, line }], blames: [`extra ${index}`], unvouched: [] };
  },
  fork: (log, a) => {
    const prev = a === 0 ? (JSON.parse(log.sealed[0]!.leaf) as { prev: string }).prev : log.sealed[a - 1]!.prev;
    const { line } = sealEvent({ action: "forked" }, { index: a, prev, seed: "fork" });
    return { rows: [...log.rows, { index: a, line }], blames: [`duplicate_index ${a}`], unvouched: [] };
  },
};

describe("any log", () => {
  it("verifies untouched", () => {
    fc.assert(
      fc.property(someLog, (log) => {
        expect(walk(log, log.rows).ok).toBe(true);
      }),
      RUNS,
    );
  });

  it.each(Object.keys(tampers))("names a single %s exactly, and what it leaves unvouched", (name) => {
    const tamper = tampers[name]!;
    fc.assert(
      fc.property(someLog, fc.nat(), fc.nat(), (log, x, y) => {
        const tampering = tamper(log, x % log.rows.length, y % log.rows.length);
        if (tampering === null) return;
        const report = walk(log, tampering.rows);
        expect(blames(report)).toEqual(tampering.blames.sort());
        expect(report.unvouched).toEqual(tampering.unvouched);
        expect(report.ok).toBe(false);
      }),
      RUNS,
    );
  });

  it("never passes after any number of tamperings, and vouches only for what is untouched", () => {
    const step = fc.record({ kind: fc.nat(), a: fc.nat(), b: fc.nat() });
    fc.assert(
      fc.property(someLog, fc.array(step, { minLength: 2, maxLength: 8 }), (log, steps) => {
        const rows = steps.reduce(
          (sofar, { kind, a, b }) =>
            anyStep(log, sofar, { kind, a: a % (log.rows.length + 2), b: b % (log.rows.length + 2) }),
          log.rows,
        );
        const report = walk(log, rows);
        const untouched = sameRows(rows, log.rows);
        expect(report.ok).toBe(untouched);
        const named = new Set(report.breaks.map(({ index }) => index));
        for (const { from, to } of report.unvouched) for (let n = from; n <= to; n++) named.add(n);
        for (const { index, line } of log.rows) {
          if (named.has(index)) continue;
          const here = rows.filter((row) => row.index === index).map((row) => row.line);
          expect(here).toContain(line);
          if (here.length > 1) expect(report.breaks.map(({ found_at }) => found_at)).toContain(index);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** One edit of whatever rows there are: nobody keeps score of what it should be called. */
function anyStep(log: TestLog, rows: StoredRow[], { kind, a, b }: { kind: number; a: number; b: number }): StoredRow[] {
  const here = rows.find(({ index }) => index === a);
  const rest = rows.filter((row) => row !== here);
  const forged = {
    index: a,
    line: sealEvent({ action: "forged" }, { index: b, prev: log.sealed[a]?.prev ?? HASH }).line,
  };
  if (here === undefined) return kind % 2 === 0 ? rows : [...rows, forged];
  switch (kind % 8) {
    case 0:
      return rest;
    case 1:
      return [...rest, { ...here, index: b }];
    case 2:
      return [...rows, { ...here, index: b }];
    case 3:
      return [...rest, forged];
    case 4:
      return [...rows, forged];
    case 5:
      return rows.map((row) => (row.index === a ? { ...row, index: b } : row.index === b ? { ...row, index: a } : row));
    case 6:
      return [...rest, { ...here, line: here.line.replace("general", "telemetry") }];
    default:
      return [...rest, { ...here, line: here.line.replace('"text":"', '"text":" ') }];
  }
}

function sameRows(a: readonly StoredRow[], b: readonly StoredRow[]): boolean {
  const texts = (rows: readonly StoredRow[]) =>
    rows
      .map(({ index, line }) => `${index} ${line}`)
      .sort()
      .join("\n");
  return texts(a) === texts(b);
}
