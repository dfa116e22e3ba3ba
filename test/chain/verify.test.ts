import { describe, expect, it } from "vitest";
import { createWalk } from "../../src/chain/verify.ts";
import { blames, edited, HASH, LOG, makeLog, OTHER_LOG, sealEvent, sha256, walk } from "./support.ts";

const SIZE = 10;
const log = makeLog(Array.from({ length: SIZE }, () => ({})));
const foreign = makeLog(
  Array.from({ length: SIZE + 3 }, () => ({})),
  { log: OTHER_LOG },
);
const row = (index: number) => log.rows[index]!;
const without = (...indexes: number[]) => log.rows.filter(({ index }) => !indexes.includes(index));
const moved = (from: number, to: number) => ({ ...row(from), index: to });
const withLeaf = (index: number, change: (leaf: string) => string) =>
  edited(row(index), (value) => {
    value.leaf = change(value.leaf);
  });

describe("an untouched log", () => {
  it("is vouched for from the head to the genesis", () => {
    expect(walk(log, log.rows)).toEqual({
      ok: true,
      checked: SIZE,
      from: 0,
      size: SIZE,
      breaks: [],
      unvouched: [],
      absent: { erased: 0, expired: 0, withheld: 0 },
      could_not_check: [],
      stopped_at: null,
    });
  });

  it("is fine when it is empty", () => {
    expect(walk(makeLog([]), []).ok).toBe(true);
  });

  it("is checked but not vouched for without a trusted hash", () => {
    const report = walk(log, log.rows, { trusted: null });
    expect(report).toMatchObject({ ok: false, breaks: [], unvouched: [{ from: 0, to: 9 }] });
  });

  it("is checked in parts, each handing the next its trusted hash", () => {
    let trusted: string | null = log.sealed[SIZE - 1]!.prev;
    let size = SIZE;
    while (size > 0) {
      const from = Math.max(0, size - 3);
      const part = createWalk(sha256, { log: LOG, genesis: null, size, from, trusted, maxBreaks: 10 });
      for (const one of log.rows.slice(from, size).reverse()) part.row(one);
      const next = part.next();
      expect(part.report()).toMatchObject({ ok: true, checked: size - from });
      expect(next).toEqual({ index: from - 1, trusted: expect.any(String) });
      ({ trusted } = next);
      size = from;
    }
  });

  it("has a first leaf that names the genesis of this log and no other", () => {
    const report = walk(log, log.rows, { genesis: foreign.genesis });
    expect(blames(report)).toEqual(["link_broken 0"]);
  });
});

describe("the tamper matrix", () => {
  it("content: names the section whose text changed, and vouches for everything", () => {
    const report = walk(log, [
      ...without(4),
      edited(row(4), (value) => (value.sections["actor"]!.text = '{"id":"u_X"}')),
    ]);
    expect(blames(report)).toEqual(["content_changed 4 actor"]);
    expect(report.unvouched).toEqual([]);
  });

  it("content: names the section whose salt changed", () => {
    const salt = "AAAAAAAAAAAAAAAAAAAAAA";
    const report = walk(log, [...without(4), edited(row(4), (value) => (value.sections["note"]!.salt = salt))]);
    expect(blames(report)).toEqual(["content_changed 4 note"]);
  });

  it.each(["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAA"])(
    "content: names the section whose salt %j is no salt",
    (salt) => {
      const report = walk(log, [...without(4), edited(row(4), (value) => (value.sections["note"]!.salt = salt))]);
      expect(blames(report)).toEqual(["content_changed 4 note"]);
    },
  );

  it("content: a lone surrogate does not pass for the U+FFFD it would hash like", () => {
    const replaced = makeLog([{ sections: [{ name: "note", text: '{"reason":"\ufffd"}' }] }]);
    const line = replaced.rows[0]!.line.replace("\ufffd", "\\ud800");
    expect(blames(walk(replaced, [{ index: 0, line }]))).toEqual(["content_changed 0 note"]);
  });

  it("content: names a section the leaf never committed", () => {
    const extra = { salt: "AAAAAAAAAAAAAAAAAAAAAA", text: "{}" };
    const context = walk(log, [...without(4), edited(row(4), (value) => (value.sections["context"] = extra))]);
    expect(blames(context)).toEqual(["content_changed 4 context"]);
    const line = row(4).line.replace(
      '"sections":{',
      '"sections":{"__proto__":{"salt":"AAAAAAAAAAAAAAAAAAAAAA","text":"{}"},',
    );
    expect(blames(walk(log, [...without(4), { index: 4, line }]))).toEqual(["content_changed 4 __proto__"]);
  });

  it("content: two sections of one entry that changed places are both named", () => {
    const swap = edited(row(4), ({ sections }) => {
      [sections["actor"], sections["target/0"]] = [sections["target/0"]!, sections["actor"]!];
    });
    expect(blames(walk(log, [...without(4), swap]))).toEqual(["content_changed 4 actor", "content_changed 4 target/0"]);
  });

  it("content: a row that is more than a record is named", () => {
    const line = `${row(4).line.slice(0, -1)},"x":1}`;
    expect(blames(walk(log, [...without(4), { index: 4, line }]))).toEqual(["content_changed 4"]);
  });

  it("content: a section that vanished is an unexplained gap", () => {
    const report = walk(log, [...without(4), edited(row(4), ({ sections }) => delete sections["metadata"])]);
    expect(blames(report)).toEqual(["unexplained_gap 4 metadata"]);
  });

  it("leaf: names the leaf alone, and everything older as unvouched", () => {
    const report = walk(log, [...without(4), withLeaf(4, (leaf) => leaf.replace("general", "telemetry"))]);
    expect(blames(report)).toEqual(["leaf_changed 4"]);
    expect(report.breaks[0]).toMatchObject({ expected: log.sealed[4]!.prev });
    expect(report.unvouched).toEqual([{ from: 0, to: 3 }]);
  });

  it("leaf: a changed prev does not blame the entry before", () => {
    const report = walk(log, [
      ...without(4),
      withLeaf(4, (leaf) => leaf.replace(/"prev":"[^"]+"/, `"prev":"${HASH}"`)),
    ]);
    expect(blames(report)).toEqual(["leaf_changed 4"]);
    expect(report.unvouched).toEqual([{ from: 0, to: 3 }]);
  });

  it("leaf: a second changed leaf is named relative to its intact successor", () => {
    const change = (leaf: string) => leaf.replace("general", "telemetry");
    const report = walk(log, [...without(2, 6), withLeaf(6, change), withLeaf(2, change)]);
    expect(blames(report)).toEqual(["leaf_changed 2", "leaf_changed 6"]);
    expect(report.unvouched).toEqual([
      { from: 0, to: 1 },
      { from: 3, to: 5 },
    ]);
  });

  it.each(["", "null", "[]", "{}", '{"leaf":7,"sections":{}}', "not JSON"])(
    "leaf: a row that reads %j is changed",
    (line) => {
      const report = walk(log, [...without(4), { index: 4, line }]);
      expect(blames(report)).toEqual(["leaf_changed 4"]);
      expect(report.unvouched).toEqual([{ from: 0, to: 3 }]);
    },
  );

  it.each([0, 4, SIZE - 1])("delete: entry %i is missing", (index) => {
    const report = walk(log, without(index));
    expect(blames(report)).toEqual([`missing ${index}`]);
    expect(report.unvouched).toEqual(index === 0 ? [] : [{ from: 0, to: index - 1 }]);
    expect(report.checked).toBe(SIZE - 1);
  });

  it("delete: all rows are missing", () => {
    expect(blames(walk(log, []))).toHaveLength(SIZE);
  });

  it("insert: a made-up second row at an index is extra", () => {
    const made = sealEvent({ action: "made.up" }, { index: 4, prev: HASH });
    expect(blames(walk(log, [...log.rows, { index: 4, line: made.line }]))).toEqual(["extra 4"]);
  });

  it("insert: a second row that follows the same predecessor is a fork, in either order", () => {
    const fork = { index: 4, line: sealEvent({ action: "other.event" }, { index: 4, prev: log.sealed[3]!.prev }).line };
    for (const rows of [
      [...log.rows, fork],
      [fork, ...log.rows],
    ]) {
      const report = walk(log, rows);
      expect(blames(report)).toEqual(["duplicate_index 4"]);
      expect(report.unvouched).toEqual([]);
    }
  });

  it("insert: a fork whose sections do not open is only extra", () => {
    const fork = { index: 4, line: sealEvent({ action: "other.event" }, { index: 4, prev: log.sealed[3]!.prev }).line };
    const spoiled = edited(fork, (value) => (value.sections["note"]!.text = "{}"));
    expect(blames(walk(log, [...log.rows, spoiled]))).toEqual(["extra 4"]);
  });

  it("insert: the same row twice is extra", () => {
    expect(blames(walk(log, [...log.rows, row(4)]))).toEqual(["extra 4"]);
  });

  it("insert: rows beyond the head are extra, whatever they hold", () => {
    const grown = sealEvent({}, { index: SIZE, prev: log.sealed[SIZE - 1]!.prev });
    const rows = [{ index: SIZE, line: grown.line }, moved(3, SIZE + 5), { index: SIZE + 9, line: "{}" }];
    expect(blames(walk(log, [...log.rows, ...rows]))).toEqual(["extra 10", "extra 15", "extra 19"]);
  });

  it.each([
    [3, 7],
    [4, 5],
    [0, 9],
    [0, 1],
    [8, 9],
  ])("swap: rows %i and %i are both reordered, and everything is vouched for", (a, b) => {
    const report = walk(log, [...without(a, b), moved(a, b), moved(b, a)]);
    expect(blames(report)).toEqual([`reordered ${a} at ${b}`, `reordered ${b} at ${a}`]);
    expect(report.unvouched).toEqual([]);
  });

  it("swap: what changed in a swapped row is named too", () => {
    const spoiled = edited(moved(3, 7), (value) => (value.sections["note"]!.text = "{}"));
    const report = walk(log, [...without(3, 7), spoiled, moved(7, 3)]);
    expect(blames(report)).toEqual(["content_changed 3 note", "reordered 3 at 7", "reordered 7 at 3"]);
  });

  it("copy: a row of another org in place of ours is misrouted", () => {
    const report = walk(log, [...without(4), foreign.rows[4]!]);
    expect(blames(report)).toEqual(["misrouted 4"]);
    expect(report.breaks[0]).toMatchObject({ expected: LOG, actual: OTHER_LOG });
    expect(report.unvouched).toEqual([{ from: 0, to: 3 }]);
  });

  it("copy: a row of another org beside ours is misrouted, and ours stays vouched for", () => {
    const report = walk(log, [...log.rows, foreign.rows[4]!, foreign.rows[SIZE + 1]!]);
    expect(blames(report)).toEqual(["misrouted 11", "misrouted 4"]);
    expect(report.unvouched).toEqual([]);
  });

  it("copy: a row over another of the same log is a changed leaf", () => {
    const report = walk(log, [...without(7), moved(3, 7)]);
    expect(blames(report)).toEqual(["leaf_changed 7"]);
    expect(report.unvouched).toEqual([{ from: 0, to: 6 }]);
  });

  it.each([
    [5, 12],
    [5, 8],
    [5, 2],
    [0, 10],
    [9, 0],
  ])("renumber: entry %i found at %i is one reordered, and nothing is missing", (index, at) => {
    const report = walk(log, [...without(index), moved(index, at)]);
    expect(blames(report)).toEqual([`reordered ${index} at ${at}`]);
    expect(report.unvouched).toEqual([]);
  });

  it("renumber: rows shifted over a deleted one are named with the one that is gone", () => {
    const shifted = log.rows
      .filter(({ index }) => index !== 5)
      .map((one) => ({ ...one, index: one.index > 5 ? one.index - 1 : one.index }));
    const report = walk(log, shifted);
    expect(blames(report)).toEqual([
      "missing 5",
      "reordered 6 at 5",
      "reordered 7 at 6",
      "reordered 8 at 7",
      "reordered 9 at 8",
    ]);
    expect(report.unvouched).toEqual([{ from: 0, to: 4 }]);
  });
});

describe("sealed wrong", () => {
  const malformed = '{"v":1}';

  it("a leaf the head vouches for, but not canonical, is malformed", () => {
    const line = JSON.stringify({ leaf: malformed, sections: {} });
    const trusted = sha256Text(`\0${malformed}`);
    expect(blames(walk(log, [{ index: 0, line }], { size: 1, trusted }))).toEqual(["leaf_malformed 0"]);
  });

  it("a leaf of a later version could not be checked, which is no break", () => {
    const leaf = '{"v":2}';
    const line = JSON.stringify({ leaf, sections: {} });
    const report = walk(log, [row(0), { index: 1, line }], { size: 2, trusted: sha256Text(`\0${leaf}`) });
    expect(report).toMatchObject({
      ok: false,
      breaks: [],
      could_not_check: [{ index: 1, why: "the leaf is of version 2" }],
      unvouched: [{ from: 0, to: 0 }],
    });
  });

  it("sections that open but are not of their shape are malformed", () => {
    const sections = [
      { name: "note", text: '{"reason":7}' },
      { name: "actor", text: '{"id":null}' },
      { name: "actor/detail", text: '{"name":"a","name":"b"}' },
      { name: "context", text: '{"ip":1}' },
      { name: "changes", text: '{"fields":"x"}' },
      { name: "metadata", text: "{" },
    ];
    const bad = makeLog([{ sections }]);
    expect(blames(walk(bad, bad.rows))).toEqual(sections.map(({ name }) => `section_malformed 0 ${name}`).sort());
  });

  it("leaf and event section must agree on category", () => {
    const agreed = makeLog([{ category: "login" }]);
    expect(walk(agreed, agreed.rows).ok).toBe(true);
    const entry = sealEvent({ category: "login", sections: [] }, { index: 0, prev: HASH });
    const leaf = JSON.parse(entry.leaf) as object;
    const line = JSON.stringify({
      ...(JSON.parse(entry.line) as object),
      leaf: JSON.stringify({ ...leaf, category: "general" }),
    });
    const trusted = sha256Text(`\0${JSON.stringify({ ...leaf, category: "general" })}`);
    const report = walk(log, [{ index: 0, line }], { size: 1, trusted, genesis: null });
    expect(blames(report)).toEqual(["section_malformed 0 event"]);
  });

  it("a link that does not name the predecessor's leaf in the tree is broken", () => {
    const rows = log.rows.map((one) => ({ ...one, treeHash: log.sealed[one.index]!.prev }));
    expect(walk(log, rows).ok).toBe(true);
    const loose = sealEvent({}, { index: 5, prev: HASH });
    const relinked = makeLog([]);
    relinked.sealed = [...log.sealed.slice(0, 5), loose];
    relinked.rows = relinked.sealed.map(({ line, prev }, index) => ({ index, line, treeHash: prev }));
    const report = walk({ ...relinked, genesis: log.genesis }, relinked.rows);
    expect(blames(report)).toEqual(["link_broken 5"]);
    expect(report.unvouched).toEqual([]);
  });

  it("a leaf that is not the tree's is changed, and the tree vouches for the others", () => {
    const rows = log.rows.map((one) => ({ ...one, treeHash: log.sealed[one.index]!.prev }));
    rows[4] = { ...withLeaf(4, (leaf) => leaf.replace("general", "telemetry")), treeHash: log.sealed[4]!.prev };
    const report = walk(log, rows);
    expect(blames(report)).toEqual(["leaf_changed 4"]);
    expect(report.unvouched).toEqual([]);
  });
});

describe("absent sections", () => {
  const began = { action: "indelible.erasure.begun", source: "service" as const };
  const ran = { action: "indelible.retention.run", source: "service" as const };
  const erasing = makeLog([{ keep_until: "2026-11-20" }, {}, began, ran, { ...began, source: "client" as const }]);
  const absent = (index: number, cause: "erased" | "expired" | "withheld", by?: number) =>
    erasing.rows.map((one) =>
      one.index !== index
        ? one
        : edited(one, (value) => {
            delete value.sections["note"];
            value.absent = [{ section: "note", cause, ...(by === undefined ? {} : { by }) }];
          }),
    );

  it("are counted when a later entry of the ledger is their cause", () => {
    expect(walk(erasing, absent(1, "erased", 2))).toMatchObject({ ok: true, absent: { erased: 1 } });
    expect(walk(erasing, absent(0, "expired", 3))).toMatchObject({ ok: true, absent: { expired: 1 } });
  });

  it.each([
    ["a client's entry", 1, "erased", 4],
    ["an entry of another kind", 0, "erased", 1],
    ["an earlier entry", 3, "erased", 2],
    ["itself", 2, "erased", 2],
    ["a retention run that erased", 1, "erased", 3],
    ["an erasure that let it expire", 0, "expired", 2],
    ["a retention run before its time", 1, "expired", 3],
  ] as const)("are unexplained when their cause is %s", (_, index, cause, by) => {
    expect(blames(walk(erasing, absent(index, cause, by)))).toEqual([`unexplained_gap ${index} note`]);
  });

  it("could not be judged when the cause lies above the range", () => {
    const rows = absent(1, "erased", 2).slice(0, 2);
    const report = walk(erasing, rows, { size: 2 });
    expect(report).toMatchObject({ ok: false, breaks: [], could_not_check: [{ index: 1 }] });
  });

  it("are never withheld in a store, but may be from a reader", () => {
    const rows = absent(1, "withheld");
    expect(blames(walk(erasing, rows))).toEqual(["unexplained_gap 1 note"]);
    expect(walk(erasing, rows, { allowWithheld: true })).toMatchObject({ ok: true, absent: { withheld: 1 } });
  });

  it("are content changed when they are there, or were never committed", () => {
    const still = edited(erasing.rows[1]!, (value) => (value.absent = [{ section: "note", cause: "erased", by: 2 }]));
    expect(blames(walk(erasing, erasing.rows.with(1, still)))).toEqual(["content_changed 1 note"]);
    const never = edited(
      erasing.rows[1]!,
      (value) => (value.absent = [{ section: "context", cause: "erased", by: 2 }]),
    );
    expect(blames(walk(erasing, erasing.rows.with(1, never)))).toEqual(["content_changed 1 context"]);
  });
});

describe("a walk", () => {
  it("stops after too many breaks and says where", () => {
    const report = walk(log, [], { maxBreaks: 3 });
    expect(report).toMatchObject({ ok: false, stopped_at: 6 });
    expect(blames(report)).toEqual(["missing 7", "missing 8", "missing 9"]);
  });

  it("stops at a flood of rows at one index or beyond the head", () => {
    expect(walk(log, [...log.rows, ...Array.from({ length: 9 }, () => row(4))], { maxBreaks: 5 }).stopped_at).toBe(4);
    const beyond = Array.from({ length: 9 }, (_, n) => moved(4, 20 + n));
    expect(walk(log, [...log.rows, ...beyond], { maxBreaks: 5 })).toMatchObject({ ok: false, stopped_at: 9 });
  });

  it("gives the same report twice and takes no row after it", () => {
    const started = createWalk(sha256, { log: LOG, genesis: null, size: 1, from: 0, trusted: null, maxBreaks: 9 });
    expect(started.report()).toBe(started.report());
    expect(() => started.row(row(0))).toThrow();
  });

  it("refuses rows in the wrong order or below the range", () => {
    const range = { log: LOG, genesis: null, size: SIZE, from: 2, trusted: null, maxBreaks: 9 };
    const started = createWalk(sha256, range);
    started.row(row(5));
    expect(() => started.row(row(6))).toThrow();
    expect(() => started.row(row(1))).toThrow();
  });

  it("knows how far it is", () => {
    const started = createWalk(sha256, { log: LOG, genesis: null, size: SIZE, from: 0, trusted: null, maxBreaks: 9 });
    started.row(row(9));
    started.row(row(7));
    expect(started.progress()).toEqual({ checked: 1, breaks: 0, at: 8, stopped: false });
    started.row(row(6));
    expect(started.progress()).toEqual({ checked: 2, breaks: 1, at: 6, stopped: false });
  });

  it("carries the place of a row into what it says", () => {
    const report = walk(log, [...without(5), { ...moved(5, 12), place: "slot 03" }]);
    expect(report.breaks[0]?.detail).toContain("slot 03");
  });
});

function sha256Text(text: string): string {
  return Buffer.from(sha256(new TextEncoder().encode(text))).toString("base64url");
}
