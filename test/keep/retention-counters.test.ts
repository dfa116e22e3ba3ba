import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { KEPT_DAY_MAX_ROWS } from "../../src/limits.ts";
import { COUNTER_OTHER } from "../../src/store/counter.ts";
import { entriesOf } from "../query/support.ts";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, untilProjected } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { call } from "../support/client.ts";
import { shrinkCells, unshrinkCells } from "../support/shrink-cells.ts";
import { strand } from "../support/strand.ts";
import { countersOf, dayIn, daysPass, kept, keptOrg, ran, stopClock } from "./retention-support.ts";

afterEach(() => {
  unshrinkCells();
  vi.useRealTimers();
});

const EVENTS = [kept("login", 1), kept("general", 2), kept("telemetry", 3), kept("login", 4)];

/** Which of the five entries from 2 on still have something. */
async function left(org: string): Promise<number[]> {
  const entries = (await entriesOf(org, 2)).slice(0, 5);
  return entries.filter(({ absent }) => absent.length === 0).map(({ leaf }) => leaf.index);
}

describe("counters of what expired", () => {
  it("come out the same when D1 is made anew", async () => {
    stopClock();
    const more = { outcome: { result: "denied" }, targets: [{ type: "document", id: "d_1" }], version: 2 };
    const org = await keptOrg([...EVENTS, kept("login", 5, more)]);
    daysPass(1);
    await append(org, batchOf([kept("login", 6, more), kept("general", 7)]));
    await untilProjected(org);
    await archiveDue(org);
    daysPass(4);
    const today = dayIn();
    const before = await countersOf(org, today);
    await ran(org);
    expect(await left(org)).toEqual([3, 4]);
    for (let n = 0; n < 2; n++) {
      await call("POST", `/v1/orgs/${org}/rebuild`);
      await untilProjected(org);
      expect(await countersOf(org, today)).toEqual(before);
      daysPass(2);
      await ran(org);
    }
    expect(await left(org)).toEqual([4]);
    await checkLedger(org, { archived: true });
  });

  it("are kept apart, the largest of a day, when there are very many, and the rest as other", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    const [placement] = (await readLedger(org)).placements;
    const cell = (env as unknown as Record<string, D1Database>)[placement?.cell ?? ""] as D1Database;
    // Of names as long as these one day is more than a parameter of D1 takes.
    const actions = Array.from({ length: KEPT_DAY_MAX_ROWS }, (_, n) => `${"action".repeat(15)}.${n}`);
    for (let n = 0; n < actions.length; n += 1_000) {
      await cell
        .prepare(
          `insert into counter (org_number, day, category, action, target_types, result, count)
           select ?1, ?2, 'general', value, '', 'success', 7 from json_each(?3)`,
        )
        .bind(placement?.org_number, dayIn(), JSON.stringify(actions.slice(n, n + 1_000)))
        .run();
    }
    const sum = async () => {
      const { counters } = (await countersOf(org)) as { counters: [string, number][] };
      return counters.reduce((all, [, count]) => all + count, 0);
    };
    daysPass(4);
    const before = await sum();
    expect(before).toBeGreaterThan(7 * KEPT_DAY_MAX_ROWS);
    expect(await ran(org)).toMatchObject({ entries: 2 });
    await call("POST", `/v1/orgs/${org}/rebuild`);
    await untilProjected(org);
    expect(await sum()).toBe(before);
    const { counters } = (await countersOf(org)) as { counters: [string, number][] };
    const names = counters.map(([name]) => (JSON.parse(name) as string[]).slice(1));
    expect(names).toContainEqual(["general", COUNTER_OTHER, COUNTER_OTHER, "success"]);
  });

  it("come out the same of a day that goes on in another cell, and when cells are split anew", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    await shrinkCells(org);
    for (const n of [6, 7, 8]) {
      await append(org, batchOf([kept("login", n), kept("general", n)]));
      await untilProjected(org);
    }
    unshrinkCells();
    await archiveDue(org);
    expect((await readLedger(org)).placements.length).toBeGreaterThan(1);
    daysPass(4);
    const today = dayIn();
    const before = await countersOf(org, today);
    expect(await ran(org)).toMatchObject({ entries: 5 });
    for (const split of [false, true]) {
      if (split) await shrinkCells(org);
      await call("POST", `/v1/orgs/${org}/rebuild`);
      await untilProjected(org);
      expect(await countersOf(org, today)).toEqual(before);
    }
    unshrinkCells();
    await checkLedger(org, { archived: true });
  });

  it("are not waited for of an earlier log whose rows D1 has lost, which nobody makes anew", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    const [placement] = (await readLedger(org)).placements;
    await strand(org);
    expect((await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "an entry is gone" } })).status).toBe(201);
    const cell = (env as unknown as Record<string, D1Database>)[placement?.cell ?? ""] as D1Database;
    for (const table of ["cursor", "counter"]) {
      await cell.prepare(`delete from ${table} where org_number = ?1`).bind(placement?.org_number).run();
    }
    daysPass(4);
    expect(await ran(org)).toMatchObject({ entries: 2 });
  });
});
