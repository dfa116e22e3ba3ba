import { beforeAll, describe, expect, it } from "vitest";
import { findEntries, readEntry } from "../../src/store/list-entries.ts";
import { monthOf } from "../../src/store/slot.ts";
import { freshLog, project, type Said, type TestEntry, type TestLog } from "./cells.ts";
import { filterOf, indexes, list, walk } from "./lists.ts";

/** The nth month from July 2021 on; November 2026 is the 64th. */
function month(n: number): string {
  return new Date(Date.UTC(2021, 6 + n, 3)).toISOString();
}

/** How many entries each month has: a slot holds those of months 16 apart. */
const LOGS: Record<string, number[]> = {
  "one entry in each of 20 months": Array.from({ length: 20 }, () => 1),
  "3 entries in each of 40 months": Array.from({ length: 40 }, () => 3),
  "many entries in two months that share a slot": Array.from({ length: 17 }, (_, n) => (n % 16 === 0 ? 60 : 0)),
  "few and many entries, and months without any": Array.from({ length: 65 }, (_, n) => [0, 12, 1, 0, 0][n % 5] ?? 0),
};

describe.each(Object.entries(LOGS))("a log of %s", (_, counts) => {
  let log: TestLog;
  let entries: TestEntry[];
  const months = { from: monthOf(month(0)), to: monthOf(month(64)) };

  beforeAll(async () => {
    log = await freshLog();
    const said: Said[] = [];
    for (const [n, count] of counts.entries()) {
      for (let entry = 0; entry < count; entry++) {
        const actor = { type: "user", id: said.length % 5 === 0 ? "rare" : "common" };
        said.push({ id: `evt-${said.length}`, action: "a.b", actor, sequenced_at: month(n) });
      }
    }
    entries = await project(log, said);
  });

  it.each(["desc", "asc"] as const)("is walked in order of index, %s, whatever the size of a page", async (order) => {
    const all = entries.map((_, index) => index);
    const rare = all.filter((index) => index % 5 === 0);
    if (order === "desc") for (const wanted of [all, rare]) wanted.reverse();
    const range = { months, high: entries.length };
    for (const limit of [1, 7, 1_000]) {
      const { rows, pages } = await walk(log, { order, limit }, range);
      expect(indexes(rows)).toEqual(all);
      expect(pages).toBe(Math.ceil(all.length / limit));
      for (const { index, line } of rows) expect(line).toBe(entries[index]?.line);
    }
    for (const more of [{ limit: 3 }, { max_postings: 10 }, { max_bytes: 2_000 }, { deadline_ms: 0 }]) {
      const found = await walk(log, { order, filter: { actor: ["rare"] }, ...more }, range);
      expect(indexes(found.rows), JSON.stringify(more)).toEqual(rare);
    }
  });

  it("answers a page of any part of it", async () => {
    const middle = Math.floor(entries.length / 2);
    const page = await list(log, { limit: 4 }, { months, low: middle - 6, high: middle + 1 });
    expect([indexes(page.rows), page.reached]).toEqual([[middle, middle - 1, middle - 2, middle - 3], middle - 3]);
    const rest = await list(log, { limit: 4 }, { months, low: middle - 6, high: middle - 3 });
    expect([indexes(rest.rows), rest.reached]).toEqual([[middle - 4, middle - 5, middle - 6], null]);
  });

  it("gives out each entry by index and by id", async () => {
    for (const [index, { line }] of entries.entries()) {
      if (index % 7 !== 0) continue;
      expect(await readEntry(log.cell, { placement: log, index, months })).toEqual({ index, line });
      const range = { placement: log, low: 0, high: entries.length, months };
      const wanted = {
        termKey: log.termKey,
        filter: filterOf({ id: [`evt-${index}`] }),
        limit: 10,
        max_bytes: 10 ** 6,
      };
      expect(await findEntries(log.cell, range, wanted)).toEqual([{ index, line }]);
    }
  });
});

describe("rows that lie in the wrong slot", () => {
  it("are listed in order of index, and one index once", async () => {
    const log = await freshLog();
    const months = { from: monthOf(month(0)), to: monthOf(month(64)) };
    const entries = await project(
      log,
      Array.from({ length: 30 }, (_, n) => ({ action: "a.b", sequenced_at: month((n * 7) % 65) })),
    );
    const planted = [0, 14, 29].map((index) => {
      const slot = entries[index]?.slot === "05" ? "06" : "05";
      return log.cell
        .prepare(`insert into entry_${slot} (key, record) values (?1, ?2)`)
        .bind(log.org_number * 2 ** 32 + index, entries[index]?.line);
    });
    await log.cell.batch(planted);
    const all = entries.map((_, index) => index);
    for (const limit of [1, 4, 100]) {
      expect(indexes((await walk(log, { order: "asc", limit }, { months })).rows)).toEqual(all);
      expect(indexes((await walk(log, { limit }, { months })).rows)).toEqual(all.toReversed());
    }
  });
});
