import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { STATS_ACTOR_MAX_ENTRIES } from "../../src/limits.ts";
import { conforms, problemOf } from "../http/support.ts";
import { statsSchema } from "../../src/schema/counts.ts";
import { append, batchOf } from "../support/append.ts";
import { untilProjected } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { call, createOrg, event } from "../support/client.ts";
import { evict } from "../support/faults.ts";
import { TABLES } from "../support/tamper.ts";
import { actsOf, sizeOf } from "./support.ts";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-21T12:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

async function put(org: string, events: Record<string, unknown>[]): Promise<void> {
  await append(org, batchOf(events));
  await untilProjected(org);
}

async function statsOf(org: string, query: string, key?: string) {
  const answer = await call("GET", `/v1/orgs/${org}/stats?${query}`, key === undefined ? {} : { key });
  expect(answer.status, answer.text).toBe(200);
  return conforms(statsSchema, answer.json);
}

const outcome = (result: string) => ({ outcome: { result } });

describe("statistics by actor", () => {
  it("count entries of the days by who acted, type and id together, and how it ended", async () => {
    const org = await createOrg("actors");
    await put(org, [event(1), event(2)]);
    vi.setSystemTime(Date.now() + DAY_MS);
    const acted = (type: string, id: string, result: string) => ({
      ...event(1),
      actor: { type, id },
      ...outcome(result),
    });
    await put(org, [
      acted("user", "u_1", "success"),
      acted("user", "u_1", "denied"),
      acted("service", "u_1", "failure"),
      acted("user", "\0'; --", "success"),
    ]);
    vi.setSystemTime(Date.now() + DAY_MS);
    await put(org, [event(1)]);
    const { data, total } = await statsOf(org, "group_by=actor&from=2026-11-22&to=2026-11-22");
    const numbers = { success: 0, failure: 0, denied: 0 };
    expect(data).toEqual([
      { ...numbers, value: "u_1", type: "user", count: 2, success: 1, denied: 1, success_rate: 0.5 },
      expect.objectContaining({ value: "\0'; --", type: "user", count: 1 }),
      { ...numbers, value: "u_1", type: "service", count: 1, failure: 1, success_rate: 0 },
    ]);
    expect(total.count).toBe(4);
    const byDay = await statsOf(org, "group_by=day&from=2026-11-22&to=2026-11-22");
    expect(byDay.total).toEqual(total);
  });

  it("refuse days with too many entries before any is read, say how to ask and, untraced, nothing of how many", async () => {
    const org = await createOrg("actors-many");
    await put(org, [event(1)]);
    const [placement] = (await readLedger(org)).placements;
    const cell = env[placement?.cell as "CELL_0"];
    const counted = (day: string, count: number) =>
      cell
        .prepare("insert into counter values (?1, ?2, 'general', 'a.b', '', 'success', ?3)")
        .bind(placement?.org_number, day, count);
    await cell.batch([counted("2026-11-19", STATS_ACTOR_MAX_ENTRIES), counted("2026-11-18", 1)]);
    const answer = await call("GET", `/v1/orgs/${org}/stats?group_by=actor&from=2026-11-18&to=2026-11-19`);
    const { detail, errors } = problemOf(answer, "unprocessable");
    expect(detail).toContain("more than 5,000 entries");
    await cell.batch([counted("2026-11-17", 77_777)]);
    const more = await call("GET", `/v1/orgs/${org}/stats?group_by=actor&from=2026-11-17&to=2026-11-19`);
    expect(problemOf(more, "unprocessable")).toMatchObject({ detail, errors });
    expect(detail).toContain("fewer days");
    expect(errors?.[0]?.pointer).toBe("/from");
    expect(await actsOf(org, "indelible.read")).toEqual([]);
    expect((await statsOf(org, "group_by=day&from=2026-11-18")).total.count).toBeGreaterThan(STATS_ACTOR_MAX_ENTRIES);
  });

  it("count what is hidden or cannot be read without a name, and tell no result of it", async () => {
    const org = await createOrg("actors-hidden");
    await put(org, [{ ...event(1), ...outcome("denied") }, { ...event(2), ...outcome("failure") }, event(3)]);
    const before = await statsOf(org, "group_by=actor");
    const body = { from: 1, to: 3, reason: "they may be another org's" };
    expect((await call("POST", `/v1/orgs/${org}/quarantines`, { body })).status).toBe(201);
    await untilProjected(org);
    const { none, data, total } = await statsOf(org, "group_by=actor");
    expect(none).toEqual({ count: 2, success: 0, failure: 0, denied: 0, success_rate: 0 });
    expect(data.find(({ value }) => value === "u_1")).toBeUndefined();
    expect(total).toMatchObject({ failure: 0, denied: 0 });
    expect(total.count).toBeGreaterThan(before.total.count);
    const [placement] = (await readLedger(org)).placements;
    const cell = env[placement?.cell as "CELL_0"];
    const key = (placement?.org_number ?? 0) * 2 ** 32 + 3;
    for (const table of TABLES) {
      await cell.prepare(`update ${table} set record = 'no record' where key = ?`).bind(key).run();
    }
    await untilProjected(org);
    const size = await sizeOf(org);
    const damaged = await statsOf(org, "group_by=actor");
    expect(damaged.none).toMatchObject({ count: 3, success: 0 });
    expect(damaged.total.count).toBe(size);
  });

  it("agree with the counters across an eviction and a rebuild", async () => {
    const org = await createOrg("actors-again");
    await put(
      org,
      Array.from({ length: 40 }, (_, n) => event(n)),
    );
    await evict(org);
    expect((await call("POST", `/v1/orgs/${org}/rebuild`)).status).toBe(202);
    await untilProjected(org);
    const size = await sizeOf(org);
    const byActor = await statsOf(org, "group_by=actor");
    expect(byActor.total.count).toBe(size);
    expect(byActor.data.filter(({ type }) => type === "user").reduce((sum, { count }) => sum + count, 0)).toBe(40);
  });
});
