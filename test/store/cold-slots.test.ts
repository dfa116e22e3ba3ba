import { beforeEach, describe, expect, it } from "vitest";
import { dropSlot, filledSlots, findUncovered, saveCooled } from "../../src/store/cold-slots.ts";
import { SLOTS } from "../support/check/read-stores.ts";
import { replaceMethod } from "../support/faults.ts";
import { emptySlots } from "../support/only-slots.ts";
import { contentOf, freshLog, project, type TestLog } from "./cells.ts";

const AUGUST = "2026-08-03T00:00:00.000Z";
const SEPTEMBER = "2026-09-03T00:00:00.000Z";
/** Of August 2026: (2026 * 12 + 7) % 16. */
const SLOT = "15";

/** A log with entries 0 to 4 in August and 5 to 9 in September. */
async function filledLog(): Promise<TestLog> {
  const log = await freshLog();
  const said = Array.from({ length: 10 }, (_, n) => ({ action: "a.b", sequenced_at: n < 5 ? AUGUST : SEPTEMBER }));
  await project(log, said);
  return log;
}

const uncovered = (log: TestLog, more: { after?: number; limit?: number } = {}) =>
  findUncovered(log.cell, SLOT, { after: -1, limit: 10, ...more });

async function schemaOf({ cell }: TestLog): Promise<unknown[]> {
  const { results } = await cell
    .prepare("select type, name, tbl_name, sql from sqlite_master where name like '%_15%' order by name")
    .all();
  return results;
}

beforeEach(emptySlots);

describe("a slot", () => {
  it("is dropped when each row in it is below what its log has in R2, and is as the migration made it", async () => {
    const logs = [await filledLog(), await filledLog()] as const;
    const [log] = logs;
    const schema = await schemaOf(log);
    const before = await contentOf(log);
    for (const one of logs) {
      expect(await dropSlot(log.cell, SLOT)).toBe(false);
      expect(await contentOf(log)).toEqual(before);
      await saveCooled(log.cell, { log: one.log, org_number: one.org_number, before: 5 });
    }
    expect(await uncovered(log)).toEqual([]);
    expect(await dropSlot(log.cell, SLOT)).toBe(true);
    const { [`entry_${SLOT}`]: entries, [`term_${SLOT}`]: terms, ...rest } = before;
    expect([entries?.length, terms?.length]).toEqual([5, 5]);
    expect(await contentOf(log)).toEqual(rest);
    expect(await schemaOf(log)).toEqual(schema);
    expect(await filledSlots(log.cell, SLOTS)).toEqual(["00"]);
    // And takes rows again, as of the month that needs it next.
    const later = await freshLog();
    await project(later, [{ action: "a.b", sequenced_at: AUGUST }]);
    expect((await contentOf(later))[`entry_${SLOT}`]).toHaveLength(1);
    expect(await dropSlot(log.cell, SLOT)).toBe(false);
  });

  it("stays, whole, while one row of one log is not below", async () => {
    const log = await filledLog();
    await saveCooled(log.cell, { log: log.log, org_number: log.org_number, before: 4 });
    const before = await contentOf(log);
    expect(await uncovered(log)).toEqual([{ org_number: log.org_number, log: log.log, last: 4 }]);
    expect(await dropSlot(log.cell, SLOT)).toBe(false);
    expect(await contentOf(log)).toEqual(before);
  });

  it("stays because of a row under a number that was never given out", async () => {
    const log = await filledLog();
    await saveCooled(log.cell, { log: log.log, org_number: log.org_number, before: 5 });
    await log.cell
      .prepare(`insert into entry_${SLOT} values (?1, '{}')`)
      .bind(999_999 * 2 ** 32 + 7)
      .run();
    expect(await uncovered(log)).toEqual([{ org_number: 999_999, log: null, last: 7 }]);
    expect(await dropSlot(log.cell, SLOT)).toBe(false);
  });

  it("names the logs that keep it in order, a bounded number at a time", async () => {
    const logs = [await filledLog(), await filledLog(), await filledLog()] as const;
    const numbers = logs.map(({ org_number }) => org_number);
    const [first, second, third] = numbers;
    expect((await uncovered(logs[0])).map(({ org_number }) => org_number)).toEqual(numbers);
    const some = await uncovered(logs[0], { limit: 2 });
    expect(some.map(({ org_number }) => org_number)).toEqual([first, second]);
    const rest = await uncovered(logs[0], { after: second as number, limit: 2 });
    expect(rest.map(({ org_number }) => org_number)).toEqual([third]);
    expect(await uncovered(logs[0], { after: third as number })).toEqual([]);
  });
});

describe("the drop", () => {
  it("writes as many rows however many it takes", async () => {
    const written: number[] = [];
    for (const entries of [1, 400]) {
      await emptySlots();
      const log = await freshLog();
      await project(
        log,
        Array.from({ length: entries }, () => ({ action: "a.b", sequenced_at: AUGUST })),
      );
      await saveCooled(log.cell, { log: log.log, org_number: log.org_number, before: entries });
      const batch = replaceMethod(log.cell, "batch", async (original, args) => {
        const results = (await original(...args)) as D1Result[];
        written.push(results.reduce((sum, { meta }) => sum + meta.rows_written, 0));
        return results;
      });
      expect(await dropSlot(log.cell, SLOT)).toBe(true);
      batch.restore();
    }
    expect(written[0]).toBe(written[1]);
    expect(written[0]).toBeLessThan(100);
  });
});

describe("what a log has in R2", () => {
  it("never goes back", async () => {
    const log = await filledLog();
    for (const before of [5, 3]) await saveCooled(log.cell, { log: log.log, org_number: log.org_number, before });
    expect(await uncovered(log)).toEqual([]);
  });
});
