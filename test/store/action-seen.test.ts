import { describe, expect, it } from "vitest";
import { ACTION_SEEN_MAX_ROWS } from "../../src/limits.ts";
import { forgetSeen, type Seen, seenStatement } from "../../src/store/action-seen.ts";
import { emptyRange } from "../../src/store/cell.ts";
import { COUNTER_OTHER } from "../../src/store/counter.ts";
import { freshLog, project, type TestLog } from "./cells.ts";

type Row = { action: string; version: number; first_day: string; last_day: string };

async function seenIn({ cell, org_number }: TestLog): Promise<Row[]> {
  const { results } = await cell
    .prepare(
      "select action, version, first_day, last_day from action_seen where org_number = ?1 order by action, version",
    )
    .bind(org_number)
    .all<Row>();
  return results;
}

async function enter({ cell, org_number }: TestLog, seen: readonly Seen[]): Promise<number> {
  const { meta } = await (await seenStatement(cell, org_number, seen)).run();
  return meta.rows_written;
}

const at = (day: string, action = "a.b", version = 1): Seen => ({ day, action, version });

describe("the days an action was seen", () => {
  it("are those of sequencing, by action and version; without a version it is 1", async () => {
    const log = await freshLog();
    const noon = (day: string) => `${day}T12:00:00.000Z`;
    await project(log, [
      { action: "a.b", sequenced_at: noon("2026-11-01"), occurred_at: "2020-01-01T00:00:00Z" },
      { action: "a.b", version: 2, sequenced_at: noon("2026-11-02") },
      { action: "a.c", version: 1_000_000, sequenced_at: noon("2026-11-02") },
    ]);
    await project(log, [{ action: "a.b", sequenced_at: noon("2026-11-04") }], 3);
    expect(await seenIn(log)).toEqual([
      { action: "a.b", version: 1, first_day: "2026-11-01", last_day: "2026-11-04" },
      { action: "a.b", version: 2, first_day: "2026-11-02", last_day: "2026-11-02" },
      { action: "a.c", version: 1_000_000, first_day: "2026-11-02", last_day: "2026-11-02" },
    ]);
  });

  it("cost one row written for each action, version and day, and none for what is known", async () => {
    const log = await freshLog();
    expect(await enter(log, [at("2026-11-05"), at("2026-11-05"), at("2026-11-05", "a.c")])).toBe(2);
    expect(await enter(log, [at("2026-11-05"), at("2026-11-05", "a.c")])).toBe(0);
    expect(await enter(log, [at("2026-11-06"), at("2026-11-05", "a.c")])).toBe(1);
    expect(await enter(log, [at("2026-11-05")])).toBe(0);
    expect(await enter(log, [at("2026-11-02"), at("2026-11-09"), at("2026-11-07")])).toBe(1);
    expect((await seenIn(log))[0]).toMatchObject({ first_day: "2026-11-02", last_day: "2026-11-09" });
  });

  it("keep hostile names as they are, and another org's apart", async () => {
    const [log, neighbour] = [await freshLog(), await freshLog()];
    const names = ["'; drop table action_seen; --", '"', "\\", "é", "%", "__proto__", "(other)", "\u{10ffff}"];
    await enter(
      log,
      names.map((name) => at("2026-11-05", name)),
    );
    await enter(neighbour, [at("2026-11-07", "(other)")]);
    expect((await seenIn(log)).map(({ action }) => action).toSorted()).toEqual(names.toSorted());
    expect(await seenIn(neighbour)).toEqual([
      { action: "(other)", version: 1, first_day: "2026-11-07", last_day: "2026-11-07" },
    ]);
  });

  it("are capped exactly: known ones go on, all others share one row, in a new isolate too", async () => {
    const log = await freshLog();
    const many = Array.from({ length: ACTION_SEEN_MAX_ROWS + 50 }, (_, n) => at("2026-11-05", "a.b", n + 1));
    await enter(log, many);
    forgetSeen(log.cell);
    await enter(log, [at("2026-11-06", "a.new"), at("2026-11-06"), at("2026-11-06", "a.b", ACTION_SEEN_MAX_ROWS + 1)]);
    const rows = await seenIn(log);
    expect(rows).toHaveLength(ACTION_SEEN_MAX_ROWS + 1);
    expect(rows[0]).toEqual({ action: COUNTER_OTHER, version: 0, first_day: "2026-11-05", last_day: "2026-11-06" });
    expect(rows[1]).toMatchObject({ action: "a.b", version: 1, last_day: "2026-11-06" });
    expect(rows.some(({ action }) => action === "a.new")).toBe(false);
  });

  it("are remembered afresh once a range was emptied", async () => {
    const log = await freshLog();
    const many = (action: string) =>
      Array.from({ length: ACTION_SEEN_MAX_ROWS }, (_, n) => at("2026-11-05", action, n + 1));
    await enter(log, many("a.old"));
    while (!(await emptyRange(log.cell, log.org_number, { first_index: 0 })).done);
    expect(await seenIn(log)).toEqual([]);
    await enter(log, many("a.new"));
    const rows = await seenIn(log);
    expect(rows).toHaveLength(ACTION_SEEN_MAX_ROWS);
    expect(rows.every(({ action }) => action === "a.new")).toBe(true);
  });
});
