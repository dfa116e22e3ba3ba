import { describe, expect, it } from "vitest";
import { COUNTED_MAX_GROUPS, COUNTED_MAX_ROWS } from "../../src/limits.ts";
import { type Days, readCounters } from "../../src/store/read-counters.ts";
import { freshLog, project, type TestLog } from "./cells.ts";

const DAYS = { from: "2026-01-01", to: "2026-12-31" };

/** Puts counters in: `count` of them on `day`, each of another action. */
async function fill({ cell, org_number }: TestLog, { day, count }: { day: string; count: number }): Promise<void> {
  await cell
    .prepare(
      `with recursive n (x) as (select 1 union all select x + 1 from n where x < ?3)
       insert into counter select ?1, ?2, 'general', 'a.n' || x, '', 'success', 2 from n`,
    )
    .bind(org_number, day, count)
    .run();
}

const read = (log: TestLog, days: Days = DAYS) => readCounters(log.cell, log.org_number, { by: ["category"], days });

describe("readCounters", () => {
  it("sums what is counted on the days, both included, and nothing of a neighbour", async () => {
    const [left, log, right] = [await freshLog(), await freshLog(), await freshLog()];
    const at = (day: string, result: string) => ({ action: "a.b", sequenced_at: `${day}T12:00:00.000Z`, result });
    for (const each of [left, log, right]) {
      await project(each, [at("2026-01-31", "denied"), at("2026-02-01", "success"), at("2026-02-03", "failure")]);
    }
    const days = { from: "2026-02-01", to: "2026-02-03" };
    const tally = { count: 2, success: 1, failure: 1, denied: 0, first_day: "2026-02-01", last_day: "2026-02-03" };
    const general = { value: ["general"], ...tally };
    expect(await read(log, days)).toEqual({ kind: "counted", groups: [general], next: 3 });
    expect(await read(log, { from: "2026-02-02", to: "2026-02-02" })).toEqual({ kind: "counted", groups: [], next: 3 });
  });

  it("answers all rows it may read, and one more not at all", async () => {
    const log = await freshLog();
    await fill(log, { day: "2026-06-03", count: COUNTED_MAX_ROWS - 10 });
    await fill(log, { day: "2026-06-02", count: 10 });
    expect(await read(log)).toMatchObject({ kind: "counted", groups: [{ count: 2 * COUNTED_MAX_ROWS }] });
    await fill(log, { day: "2026-06-01", count: 1 });
    expect(await read(log)).toEqual({ kind: "too_wide" });
    expect(await read(log, { ...DAYS, from: "2026-06-02" })).toMatchObject({ kind: "counted" });
    await fill(log, { day: "2026-12-31", count: 1 });
    expect(await read(log)).toEqual({ kind: "too_wide" });
  });

  it("refuses more groups than it sums", async () => {
    const log = await freshLog();
    await fill(log, { day: "2026-06-03", count: COUNTED_MAX_GROUPS });
    const by = { by: ["action"], days: DAYS } as const;
    expect(await readCounters(log.cell, log.org_number, by)).toMatchObject({ kind: "counted" });
    await fill(log, { day: "2026-06-04", count: COUNTED_MAX_GROUPS + 1 });
    expect(await readCounters(log.cell, log.org_number, by)).toEqual({ kind: "too_wide" });
  });
});
