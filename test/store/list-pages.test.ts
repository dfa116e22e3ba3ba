import { describe, expect, it } from "vitest";
import { freshLog, project } from "./cells.ts";
import { indexes, list, MONTHS, walk } from "./lists.ts";

describe("listEntries, unfiltered", () => {
  it("answers an empty range as exhausted", async () => {
    const log = await freshLog();
    expect(await list(log)).toEqual({ rows: [], reached: null });
    await project(log, [{ action: "a.b" }, { action: "a.b" }]);
    expect(await list(log, {}, { low: 1, high: 1 })).toEqual({ rows: [], reached: null });
    expect(await list(log, {}, { low: 5, high: 2 })).toEqual({ rows: [], reached: null });
    expect(await list(log, {}, { months: { from: MONTHS.to, to: MONTHS.to - 1 } })).toEqual({
      rows: [],
      reached: null,
    });
  });

  it.each(["asc", "desc"] as const)("walks months in order %s, whatever the size of a page", async (order) => {
    const log = await freshLog();
    const months = ["2026-09", "2026-10", "2026-11"];
    const said = Array.from({ length: 90 }, (_, n) => ({
      action: "a.b",
      sequenced_at: `${months[Math.floor(n / 30)]}-01T00:00:00.000Z`,
    }));
    await project(log, said);
    for (const limit of [1, 7, 29, 30, 31, 60, 89, 90, 91]) {
      const { rows, pages } = await walk(log, { order, limit });
      const all = Array.from({ length: 90 }, (_, n) => n);
      expect(indexes(rows)).toEqual(order === "desc" ? all.reverse() : all);
      expect(pages).toBe(Math.ceil(90 / limit));
    }
  });

  it("keeps to the indexes asked for", async () => {
    const log = await freshLog();
    await project(
      log,
      Array.from({ length: 20 }, () => ({ action: "a.b" })),
    );
    const page = await list(log, { limit: 5 }, { low: 8, high: 15 });
    expect([indexes(page.rows), page.reached]).toEqual([[14, 13, 12, 11, 10], 10]);
    const rest = await list(log, { limit: 5 }, { low: 8, high: 10 });
    expect([indexes(rest.rows), rest.reached]).toEqual([[9, 8], null]);
  });

  it("cuts a page at its bytes, and still answers a single entry that is larger", async () => {
    const log = await freshLog();
    const sizes = [10, 50_000, 10, 10, 20_000, 20_000, 20_000, 10];
    const entries = await project(
      log,
      sizes.map((size) => ({ action: "a.b", metadata: JSON.stringify("é".repeat(size / 2)) })),
    );
    const bytes = entries.map(({ line }) => Buffer.byteLength(line));
    for (const max_bytes of [1, 5_000, 25_000, 45_000, 10 ** 6]) {
      for (const filter of [{}, { action: ["a.b"] }]) {
        const { rows } = await walk(log, { max_bytes, filter });
        expect(indexes(rows)).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
        const page = await list(log, { max_bytes, filter });
        const sum = page.rows.reduce((total, { index }) => total + (bytes[index] ?? 0), 0);
        expect(page.rows.length === 1 || sum <= max_bytes).toBe(true);
      }
    }
    const exact = (bytes[7] ?? 0) + (bytes[6] ?? 0);
    expect(indexes((await list(log, { max_bytes: exact })).rows)).toEqual([7, 6]);
    expect(indexes((await list(log, { max_bytes: exact - 1 })).rows)).toEqual([7]);
  });

  it("counts bytes across months", async () => {
    const log = await freshLog();
    const said = ["2026-09", "2026-10", "2026-11"].map((month) => ({
      action: "a.b",
      sequenced_at: `${month}-01T00:00:00.000Z`,
      metadata: JSON.stringify("x".repeat(10_000)),
    }));
    await project(log, said);
    const page = await list(log, { max_bytes: 23_000 });
    expect([indexes(page.rows), page.reached]).toEqual([[2, 1], 1]);
    expect(indexes((await walk(log, { max_bytes: 11_500 })).rows)).toEqual([2, 1, 0]);
  });

  it("never answers a row of a neighbour, at either end of the range", async () => {
    const logs = [await freshLog(), await freshLog(), await freshLog()] as const;
    for (const log of logs) await project(log, [{ action: "a.b" }, { action: "a.b" }]);
    const [, middle] = logs;
    await middle.cell
      .prepare("insert into entry_02 (key, record) values (?1, 'last of all')")
      .bind(middle.org_number * 2 ** 32 + 2 ** 32 - 1)
      .run();
    expect(indexes((await list(middle)).rows)).toEqual([2 ** 32 - 1, 1, 0]);
    expect(indexes((await list(middle, { order: "asc" })).rows)).toEqual([0, 1, 2 ** 32 - 1]);
    expect(indexes((await list(logs[2])).rows)).toEqual([1, 0]);
  });
});
