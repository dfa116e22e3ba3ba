import { describe, expect, it } from "vitest";
import { COUNTER_MAX_TARGET_TYPES, DELETE_CHUNK_ROWS } from "../../src/limits.ts";
import { emptyRange, openRange, projectEntries, readFence } from "../../src/store/cell.ts";
import { COUNTER_OTHER } from "../../src/store/counter.ts";
import { contentOf, entryOf, freshLog, freshName, headMac, project, type Said, type TestLog } from "./cells.ts";

const said = (count: number): Said[] =>
  Array.from({ length: count }, (_, n) => ({
    action: `a.b${n % 5}`,
    targets: [{ type: `type ${n % 3}`, id: `t_${n}` }],
    sequenced_at: n * 3 < count ? "2026-10-31T23:00:00.000Z" : "2026-11-01T01:00:00.000Z",
  }));

async function empty({ cell, org_number }: TestLog, first_index = 0): Promise<{ calls: number; rows: number }> {
  let rows = 0;
  for (let calls = 1; ; calls++) {
    const emptied = await emptyRange(cell, org_number, { first_index });
    rows += emptied.rows;
    if (emptied.done) return { calls, rows };
  }
}

const nothing = (log: TestLog, next: number) => ({
  cursor: [{ org_number: log.org_number, log: log.log, next, head_mac: null }],
  counter: [],
  action_seen: [],
});

describe("emptyRange", () => {
  it("takes everything of an org out, nothing of its neighbours, and lets it be projected anew to the same", async () => {
    const [left, log, right] = [await freshLog(), await freshLog(), await freshLog()];
    for (const each of [left, log, right]) await project(each, said(30));
    const before = await Promise.all([left, log, right].map(contentOf));
    await empty(log);
    expect(await contentOf(log)).toEqual(nothing(log, 0));
    expect([await contentOf(left), await contentOf(right)]).toEqual([before[0], before[2]]);
    const entries = said(30).map((event, n) => entryOf(log.termKey, n, event));
    for (const [n, entry] of entries.entries()) {
      await projectEntries(log.cell, { log: log.log, orgNumber: log.org_number, from: n, entries: [entry], headMac });
    }
    const after = await contentOf(log);
    // Salts are new, so records differ; keys, numbers of tokens, counters and fence are the same.
    const keys = (content: typeof after) => JSON.stringify(content, (name, value) => (name === "record" ? 0 : value));
    expect(keys(after)).toBe(keys(before[1] as typeof after));
  });

  it("puts the very same entries back after a rebuild", async () => {
    const log = await freshLog();
    const entries = await project(log, said(100));
    const before = await contentOf(log);
    await empty(log);
    await projectEntries(log.cell, { log: log.log, orgNumber: log.org_number, from: 0, entries, headMac });
    expect(await contentOf(log)).toEqual(before);
  });

  it("works in chunks, and any number of calls come to the same", async () => {
    const log = await freshLog();
    const count = DELETE_CHUNK_ROWS + 100;
    await project(
      log,
      Array.from({ length: count }, () => ({ action: "a.b" })),
    );
    const { calls, rows } = await empty(log);
    expect(calls).toBe(3);
    // Beside the entries and their search rows, a counter and an action that was seen.
    expect(rows).toBe(2 * count + 2);
    expect(await contentOf(log)).toEqual(nothing(log, 0));
    expect(await empty(log)).toEqual({ calls: 1, rows: 0 });
  });

  it("moves the fence back before anything goes, so that a crash in between is repaired by calling again", async () => {
    const log = await freshLog();
    await project(
      log,
      Array.from({ length: DELETE_CHUNK_ROWS + 10 }, () => ({ action: "a.b" })),
    );
    expect((await emptyRange(log.cell, log.org_number, { first_index: 0 })).done).toBe(false);
    expect(await readFence(log.cell, log.org_number)).toEqual({ next: 0, head_mac: null });
    const early = Array.from({ length: 20 }, (_, n) =>
      entryOf(log.termKey, DELETE_CHUNK_ROWS - 10 + n, { action: "a.b" }),
    );
    await log.cell
      .prepare("update cursor set next = ?2 where org_number = ?1")
      .bind(log.org_number, DELETE_CHUNK_ROWS - 10)
      .run();
    const projecting = projectEntries(log.cell, {
      ...{ log: log.log, orgNumber: log.org_number, from: DELETE_CHUNK_ROWS - 10, entries: early, headMac },
    });
    await expect(projecting).rejects.toThrow("UNIQUE");
    await empty(log);
    expect(await contentOf(log)).toEqual(nothing(log, 0));
  });

  it("takes out rows that somebody planted, wherever they lie", async () => {
    const log = await freshLog();
    await project(log, said(3));
    const key = log.org_number * 2 ** 32 + 2 ** 32 - 1;
    await log.cell.prepare("insert into entry_14 (key, record) values (?1, 'planted')").bind(key).run();
    await log.cell.prepare("insert into term_13 (rowid, x) values (cast(?1 as integer), 'planted')").bind(key).run();
    await empty(log);
    expect(await contentOf(log)).toEqual(nothing(log, 0));
  });

  it("empties a range that began at a later index back to that index", async () => {
    const log = await freshLog();
    const name = freshName("log");
    const later = { ...log, log: name, org_number: await openRange(log.cell, { log: name, first_index: 40 }) };
    await project(later, said(10), 40);
    await empty(later, 40);
    expect(await contentOf(later)).toEqual(nothing(later, 40));
  });

  it("lets the names of an emptied month be counted afresh", async () => {
    const log = await freshLog();
    const typed = (stem: string) =>
      Array.from({ length: COUNTER_MAX_TARGET_TYPES }, (_, n) => ({
        action: "a.b",
        targets: [{ type: `${stem}${n}`, id: "x" }],
      }));
    await project(log, typed("old"));
    await empty(log);
    await project(log, typed("new"));
    const { counter } = await contentOf(log);
    expect(counter).toHaveLength(COUNTER_MAX_TARGET_TYPES);
    expect((counter as { target_types: string }[]).map((row) => row.target_types)).not.toContain(COUNTER_OTHER);
  });

  it("refuses an org number that was never opened", async () => {
    const { cell } = await freshLog();
    await expect(emptyRange(cell, 1_999_998, { first_index: 0 })).rejects.toThrow("invariant broken");
  });
});
