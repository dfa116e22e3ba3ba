import { describe, expect, it } from "vitest";
import { monthOf, slotOf } from "../../src/store/slot.ts";
import { freshLog, project, type TestLog } from "./cells.ts";
import { indexes, walk } from "./lists.ts";

const AT = "2026-11-03T12:00:00.000Z";
const MONTHS = { from: monthOf(AT), to: monthOf(AT) };

/** A log of six entries by one actor; the rows of some are deleted from the cell, and nothing else of them. */
async function logWithout(gone: readonly number[]): Promise<TestLog> {
  const log = await freshLog();
  const actor = { type: "user", id: "jane" };
  await project(
    log,
    Array.from({ length: 6 }, (_, n) => ({ id: `evt-${n}`, action: "a.b", actor, sequenced_at: AT })),
  );
  for (const index of gone) {
    const key = log.org_number * 2 ** 32 + index;
    await log.cell
      .prepare(`delete from entry_${slotOf(monthOf(AT))} where key = ?`)
      .bind(key)
      .run();
  }
  return log;
}

describe("a list over a log from which somebody deleted rows", () => {
  const limits = [{ limit: 1 }, { limit: 2 }, { max_postings: 3 }, { max_bytes: 2_000 }, { deadline_ms: 0 }];
  it.each([[[5]], [[0]], [[0, 5]], [[4, 5]], [[2, 3]], [[0, 1, 2, 3, 4]]])(
    "answers all the others, filtered or not: %j are gone",
    async (gone) => {
      const log = await logWithout(gone);
      const left = [0, 1, 2, 3, 4, 5].filter((index) => !gone.includes(index));
      for (const order of ["asc", "desc"] as const) {
        const expected = order === "asc" ? left : left.toReversed();
        for (const more of limits) {
          for (const filter of [{}, { actor: ["jane"] }]) {
            const { rows } = await walk(log, { order, filter, ...more }, { months: MONTHS, high: 6 });
            expect(indexes(rows), `${order} ${JSON.stringify([more, filter])}`).toEqual(expected);
          }
        }
      }
    },
  );
});
