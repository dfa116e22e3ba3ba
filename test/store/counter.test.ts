import { describe, expect, it } from "vitest";
import { COUNTER_MAX_ACTIONS, COUNTER_MAX_TARGET_TYPES } from "../../src/limits.ts";
import { COUNTER_OTHER, counterStatement, forgetCounterNames } from "../../src/store/counter.ts";
import { freshLog, project, type TestLog } from "./cells.ts";

type CounterRow = {
  day: string;
  category: string;
  action: string;
  target_types: string;
  result: string;
  count: number;
};

async function countersOf({ cell, org_number }: TestLog): Promise<CounterRow[]> {
  const { results } = await cell
    .prepare("select * from counter where org_number = ?1 order by day, category, action, target_types, result")
    .bind(org_number)
    .all<CounterRow & { org_number: number }>();
  return results.map(({ org_number: _, ...row }) => row);
}

const day = (date: string) => `${date}T12:00:00.000Z`;

describe("counters", () => {
  it("count by day of sequencing, category, action, set of target types and result", async () => {
    const log = await freshLog();
    const document = { type: "document", id: "d_1" };
    const targets = [{ type: "user", id: "u" }, document, { ...document, id: "d_2" }];
    await project(log, [
      { action: "a.b", targets, sequenced_at: day("2026-11-01") },
      { action: "a.b", targets: [document, ...targets], sequenced_at: day("2026-11-01") },
      { action: "a.b", sequenced_at: day("2026-11-01"), result: "denied" },
      { action: "a.b", sequenced_at: day("2026-11-02"), category: "login", occurred_at: "2020-01-01T00:00:00Z" },
    ]);
    await project(log, [{ action: "a.b", targets, sequenced_at: day("2026-11-01"), result: "success" }], 4);
    const general = { day: "2026-11-01", category: "general", action: "a.b" };
    expect(await countersOf(log)).toEqual([
      { ...general, target_types: "", result: "denied", count: 1 },
      { ...general, target_types: "document\nuser", result: "success", count: 3 },
      { ...general, day: "2026-11-02", category: "login", target_types: "", result: "success", count: 1 },
    ]);
  });

  it("keep hostile names as they are", async () => {
    const log = await freshLog();
    const names = ["'; drop table counter; --", '"', "\\", "a b", "é", "%", "__proto__", "constructor", "(other)"];
    await project(
      log,
      names.map((name) => ({ action: name, targets: [{ type: name, id: "x" }] })),
    );
    const rows = await countersOf(log);
    expect(rows.map(({ action, target_types }) => [action, target_types])).toEqual(
      [...names].sort().map((name) => [name, name]),
    );
  });

  it("cap the actions of an org and month exactly, known ones going on, a new month and another org afresh", async () => {
    const log = await freshLog();
    const count = COUNTER_MAX_ACTIONS + 300;
    await project(
      log,
      Array.from({ length: count }, (_, n) => ({ action: `a.n${n}`, sequenced_at: day("2026-11-01") })),
    );
    forgetCounterNames(log.cell);
    const again = ["a.n0", `a.n${count}`, "a.n1"].map((action) => ({ action, sequenced_at: day("2026-11-02") }));
    await project(log, again, count);
    await project(log, [{ action: `a.n${count}`, sequenced_at: day("2026-12-01") }], count + 3);
    const rows = await countersOf(log);
    const of = (date: string) => rows.filter((row) => row.day === date);
    expect(of("2026-11-01")).toHaveLength(COUNTER_MAX_ACTIONS + 1);
    expect(of("2026-11-01").find(({ action }) => action === COUNTER_OTHER)?.count).toBe(300);
    expect(of("2026-11-02").map(({ action }) => action)).toEqual([COUNTER_OTHER, "a.n0", "a.n1"]);
    expect(of("2026-12-01").map(({ action }) => action)).toEqual([`a.n${count}`]);
    expect(rows.reduce((sum, row) => sum + row.count, 0)).toBe(count + 4);
    const other = await freshLog();
    await project(other, [{ action: "a.new", sequenced_at: day("2026-11-02") }]);
    expect((await countersOf(other))[0]?.action).toBe("a.new");
  });

  it("cap the sets of target types", async () => {
    const log = await freshLog();
    const count = COUNTER_MAX_TARGET_TYPES + 20;
    await project(
      log,
      Array.from({ length: count }, (_, n) => ({ action: "a.b", targets: [{ type: `t${n}`, id: "x" }] })),
    );
    const rows = await countersOf(log);
    expect(rows).toHaveLength(COUNTER_MAX_TARGET_TYPES + 1);
    expect(rows.find(({ target_types }) => target_types === COUNTER_OTHER)?.count).toBe(20);
  });

  it("read what is known of a month once", async () => {
    const { cell, org_number } = await freshLog();
    const counted = (action: string) => ({
      day: "2026-11-01",
      category: "general",
      action,
      target_types: "",
      result: "success",
    });
    let queries = 0;
    const watched = new Proxy(cell, {
      get: (target, name) => {
        if (name === "batch") queries++;
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    for (const action of ["a.b", "a.c", "a.b"])
      await counterStatement(watched, org_number, [counted(action), counted("a.d")]);
    expect(queries).toBe(1);
  });
});
