import { describe, expect, it } from "vitest";
import { monthOf } from "../../src/store/slot.ts";
import { freshLog, project, type TestLog } from "./cells.ts";
import { indexes, list, walk } from "./lists.ts";

/** Fourteen months, each with as many entries as it has days. */
const DAYS = [30, 31, 30, 31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31];
const FIRST = monthOf("2025-09-01T00:00:00.000Z");
const MONTHS = { from: FIRST, to: FIRST + DAYS.length - 1 };
/** As a log says how many entries it has. */
const WHOLE = { months: MONTHS, high: 426 };
const RARE = { action: ["rare.one"] };

/** Entries of all months; those at `rare` can be told by their action, and are as large as `bytes` says. */
async function yearOf(rare: ReadonlySet<number>, bytes = (index: number) => index % 7): Promise<TestLog> {
  const log = await freshLog();
  const said = DAYS.flatMap((days, month) =>
    Array.from({ length: days }, () => new Date(Date.UTC(2025, 8 + month, 1)).toISOString()),
  ).map((sequenced_at, index) => ({
    action: rare.has(index) ? "rare.one" : "common.one",
    metadata: JSON.stringify("x".repeat(bytes(index))),
    sequenced_at,
  }));
  await project(log, said);
  return log;
}

/** The same log in a cell that counts how often it is called. */
function counting(log: TestLog): { log: TestLog; calls: () => number } {
  let calls = 0;
  const cell = new Proxy(log.cell, {
    get(target, name) {
      const value = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      if (name === "batch") calls++;
      return value.bind(target);
    },
  });
  return { log: { ...log, cell }, calls: () => calls };
}

describe("a value that is rare", () => {
  const rare = new Set([3, 200, 201, 390, 420]);

  it.each(["asc", "desc"] as const)("costs a few calls over many months, in order %s", async (order) => {
    const { log, calls } = counting(await yearOf(rare));
    const page = await list(log, { order, filter: RARE }, WHOLE);
    const all = [...rare];
    expect([indexes(page.rows), page.reached]).toEqual([order === "desc" ? all.reverse() : all, null]);
    // The first month with the bounds of all, eight months, and the rest.
    expect(calls()).toBe(3);
  });

  it("is read ahead only where the page is not full by what was found", async () => {
    const log = await yearOf(new Set(Array.from({ length: 426 }, (_, n) => n).filter((n) => n % 10 === 0)));
    const few = counting(log);
    // Three a month: a month more is enough.
    expect((await list(few.log, { filter: RARE, limit: 5 }, WHOLE)).rows).toHaveLength(5);
    expect(few.calls()).toBe(2);
  });
});

describe("what was read ahead", () => {
  it("is found once and in order, whatever a page takes", async () => {
    // In some months all, in some none, in one large ones.
    const rare = new Set(
      Array.from({ length: 426 }, (_, n) => n).filter((n) => n % 100 < 45 && (n % 3 === 0 || n > 350)),
    );
    const log = await yearOf(rare, (index) => (index % 90 < 9 ? 4_000 : index % 7));
    for (const order of ["asc", "desc"] as const) {
      const wanted = order === "desc" ? [...rare].reverse() : [...rare];
      for (const limits of [
        ...[1, 2, 7, 30, 31, 100, 1_000].map((limit) => ({ limit })),
        ...[1, 900, 5_000, 9_000, 30_000, 200_000].map((max_bytes) => ({ max_bytes })),
        ...[1, 10, 60, 100, 250].map((max_postings) => ({ max_postings })),
        { limit: 13, max_bytes: 12_000, max_postings: 90 },
      ]) {
        const { rows } = await walk(log, { order, filter: RARE, ...limits }, WHOLE);
        expect(indexes(rows), JSON.stringify({ order, limits })).toEqual(wanted);
      }
    }
  });
});
