import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { D1_PARAMETER_MAX_BYTES } from "../../src/limits.ts";
import { takeCounts } from "../../src/meter.ts";
import { openRange, type ProjectableEntry, projectEntries, readFence } from "../../src/store/cell.ts";
import { readEntries } from "../../src/store/list-entries.ts";
import {
  cell0,
  cell1,
  contentOf,
  entryOf,
  freshLog,
  freshName,
  headMac,
  project,
  type Said,
  type TestLog,
} from "./cells.ts";

const projectAt = (log: TestLog, from: number, entries: readonly ProjectableEntry[]) =>
  projectEntries(log.cell, { log: log.log, orgNumber: log.org_number, from, entries, headMac });

const event = (n: number): Said => ({
  action: "document.share",
  category: "data_modification",
  actor: { type: "user", id: `u_${n % 7}`, name: `Person ${n}` },
  targets: [{ type: "document", id: `d_${n}` }],
  metadata: `{"n":${n},"big":12345678901234567890,"t":1.10}`,
});

describe("openRange", () => {
  it("gives a log one number in a cell, however often it is asked", async () => {
    const cell = await cell0();
    const [a, b] = [freshName("log"), freshName("log")];
    const first = await openRange(cell, { log: a, first_index: 0 });
    const other = await openRange(cell, { log: b, first_index: 7 });
    expect(await openRange(cell, { log: a, first_index: 0 })).toBe(first);
    expect(other).not.toBe(first);
    expect(await readFence(cell, first)).toEqual({ next: 0, head_mac: null });
    expect(await readFence(cell, other)).toEqual({ next: 7, head_mac: null });
  });

  it("gives one number when asked many times at once", async () => {
    const cell = await cell0();
    const log = freshName("log");
    const numbers = await Promise.all(Array.from({ length: 20 }, () => openRange(cell, { log, first_index: 3 })));
    expect(new Set(numbers).size).toBe(1);
  });

  it("never moves a fence back", async () => {
    const log = await freshLog();
    await project(log, [event(0), event(1)]);
    await openRange(log.cell, { log: log.log, first_index: 0 });
    expect(await readFence(log.cell, log.org_number)).toEqual({ next: 2, head_mac: headMac });
  });

  it("knows no fence of a number it never gave", async () => {
    expect(await readFence(await cell0(), 2_000_000)).toBeNull();
  });
});

describe("projectEntries", () => {
  it("writes two rows an entry, one for the fence, one for each distinct counter and one for each action new that day", async () => {
    const log = await freshLog();
    const entries = Array.from({ length: 500 }, (_, n) => entryOf(log.termKey, n, event(n)));
    const projection = await projectAt(log, 0, entries);
    expect(projection).toMatchObject({ kind: "projected", rows_written: 2 * 500 + 1 + 1 + 1 });
    expect(await readFence(log.cell, log.org_number)).toEqual({ next: 500, head_mac: headMac });
  });

  it("writes four rows for an entry alone, and one more for the first of its action that day", async () => {
    const log = await freshLog();
    for (let n = 0; n < 5; n++) {
      const entries = [entryOf(log.termKey, n, event(n))];
      const projection = await projectAt(log, n, entries);
      expect(projection).toMatchObject({ kind: "projected", rows_written: n === 0 ? 5 : 4 });
    }
  });

  it("keeps a record line character for character", async () => {
    const log = await freshLog();
    const texts = [
      ...[
        "",
        "'",
        '"',
        "\\",
        "\0",
        "\u2028\u2029",
        "\ud800",
        "\ue001",
        "</script>",
        "'); drop table cursor; --",
        "👍𠮷",
      ],
      ...fc.sample(fc.string({ unit: "binary" }), 100),
    ];
    const said = texts.map((text) => ({
      action: "a.b",
      reason: text,
      metadata: ` {"x" : ${JSON.stringify(text)} , "x":1.10e+0}\n`,
    }));
    const entries = await project(log, said);
    const rows = await readEntries(log.cell, { placement: log, low: 0, high: 1_000, limit_bytes: 10 ** 7 });
    expect(rows.map(({ line }) => line)).toEqual(entries.map(({ line }) => line).reverse());
  });

  it("answers a replay as stale with the fence, and writes nothing", async () => {
    const log = await freshLog();
    const entries = await project(log, [event(0), event(1), event(2)]);
    const before = await contentOf(log);
    for (const from of [0, 1, 2, 4]) {
      const projection = await projectAt(log, from, entries);
      expect(projection).toEqual({ kind: "stale", fence: 3 });
    }
    expect(await contentOf(log)).toEqual(before);
  });

  it("lets one of many projections of the same entries through", async () => {
    const log = await freshLog();
    const entries = Array.from({ length: 20 }, (_, n) => entryOf(log.termKey, n, event(n)));
    const kinds = await Promise.all(Array.from({ length: 10 }, () => projectAt(log, 0, entries)));
    expect(kinds.filter(({ kind }) => kind === "projected")).toHaveLength(1);
    const { counter } = await contentOf(log);
    expect(counter).toMatchObject([{ count: 20 }]);
  });

  it("leaves nothing behind when a statement fails, and says so by throwing", async () => {
    const log = await freshLog();
    await project(log, [event(0)]);
    const inTheWay = log.org_number * 2 ** 32 + 2;
    await log.cell.prepare("insert into entry_02 (key, record) values (?1, 'planted')").bind(inTheWay).run();
    const before = await contentOf(log);
    const entries = [1, 2, 3].map((n) => entryOf(log.termKey, n, { ...event(n), action: "new.action" }));
    const again = () => projectAt(log, 1, entries);
    await expect(again()).rejects.toThrow("UNIQUE");
    expect(await contentOf(log)).toEqual(before);
    await log.cell.prepare("delete from entry_02 where key = ?1").bind(inTheWay).run();
    expect(await again()).toMatchObject({ kind: "projected" });
  });

  it("refuses an org number that was never opened, and writes nothing", async () => {
    const log = { ...(await freshLog()), org_number: 1_999_999 };
    const entries = [entryOf(log.termKey, 0, event(0))];
    await expect(projectAt(log, 0, entries)).rejects.toThrow("cursor.log");
    expect(await contentOf(log)).toEqual({ cursor: [], counter: [], action_seen: [] });
  });

  it("refuses the entries of another log than the range is for, counts it, and writes nothing", async () => {
    const [mine, theirs] = [await freshLog(), await freshLog()];
    await project(theirs, [event(0)]);
    const before = await contentOf(theirs);
    const entries = [entryOf(mine.termKey, 1, event(1))];
    takeCounts();
    const misplaced = projectEntries(mine.cell, {
      log: mine.log,
      orgNumber: theirs.org_number,
      from: 1,
      entries,
      headMac,
    });
    await expect(misplaced).rejects.toThrow(`is that of ${theirs.log}, not of ${mine.log}`);
    expect(takeCounts()).toEqual([{ name: "audit_cross_org_refusals_total", labels: 'at="projection"', value: 1 }]);
    expect(await contentOf(theirs)).toEqual(before);
    expect((await contentOf(mine))["entry_02"]).toBeUndefined();
  });

  it("refuses to go past the last index of an org", async () => {
    const log = await freshLog();
    const entries = [entryOf(log.termKey, 0, event(0)), entryOf(log.termKey, 1, event(1))];
    const last = 2 ** 32 - 1;
    await expect(projectAt(log, last, entries)).rejects.toThrow("invariant");
  });

  it("puts the entries of one batch into the slots of their months", async () => {
    const log = await freshLog();
    const times = ["2026-11-30T23:59:59.998Z", "2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00.000Z"];
    await project(
      log,
      times.map((sequenced_at, n) => ({ ...event(n), sequenced_at })),
    );
    const content = await contentOf(log);
    const base = log.org_number * 2 ** 32;
    expect(content["entry_02"]).toMatchObject([{ key: base }, { key: base + 1 }]);
    expect(content["entry_03"]).toMatchObject([{ key: base + 2 }]);
    expect(content["term_02"]).toMatchObject([{ id: base }, { id: base + 1 }]);
    expect(content["term_03"]).toMatchObject([{ id: base + 2 }]);
    expect(content["counter"]).toMatchObject([
      { day: "2026-11-30", count: 2 },
      { day: "2026-12-01", count: 1 },
    ]);
  });

  it("splits what would be too large for one parameter, which local D1 would take", async () => {
    const log = await freshLog();
    const large = JSON.stringify("é".repeat(45_000));
    const entries = Array.from({ length: 40 }, (_, n) => entryOf(log.termKey, n, { ...event(n), metadata: large }));
    const bound: number[] = [];
    const cell = watchingBinds(log.cell, (value) => bound.push(Buffer.byteLength(String(value))));
    const projection = await projectEntries(cell, {
      log: log.log,
      orgNumber: log.org_number,
      from: 0,
      entries,
      headMac,
    });
    expect(projection).toMatchObject({ kind: "projected", rows_written: 2 * 40 + 1 + 1 + 1 });
    expect(bound.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(2 * D1_PARAMETER_MAX_BYTES);
    expect(Math.max(...bound)).toBeLessThanOrEqual(D1_PARAMETER_MAX_BYTES + 2);
    const rows = await readEntries(log.cell, { placement: log, low: 0, high: 40, limit_bytes: 10 ** 7 });
    expect(rows.map(({ index, line }) => [index, line])).toEqual(entries.map(({ line }, n) => [n, line]).reverse());
  });

  it("keeps cells and orgs apart", async () => {
    const a = await freshLog(await cell0());
    const b = await freshLog(await cell0());
    const c = await freshLog(await cell1());
    await project(a, [event(0)]);
    await project(b, [event(0), event(1)]);
    await project(c, [event(0), event(1), event(2)]);
    const sizes = [];
    for (const log of [a, b, c]) {
      sizes.push((await readEntries(log.cell, { placement: log, low: 0, high: 2 ** 32, limit_bytes: 10 ** 6 })).length);
    }
    expect(sizes).toEqual([1, 2, 3]);
  });
});

/** A database that tells each value bound to a statement. */
function watchingBinds(cell: D1Database, tell: (value: unknown) => void): D1Database {
  const member = (target: object, name: string | symbol): unknown => {
    const value: unknown = Reflect.get(target, name);
    return typeof value === "function" ? value.bind(target) : value;
  };
  return new Proxy(cell, {
    get(target, name) {
      if (name !== "prepare") return member(target, name);
      return (sql: string) =>
        new Proxy(cell.prepare(sql), {
          get(statement, inner) {
            if (inner !== "bind") return member(statement, inner);
            return (...values: unknown[]) => {
              for (const value of values) tell(value);
              return statement.bind(...values);
            };
          },
        });
    },
  });
}
