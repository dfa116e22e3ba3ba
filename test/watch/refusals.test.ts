import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configOf } from "../../src/env.ts";
import { NOT_FOUND, type Refusal, refuse } from "../../src/errors.ts";
import { METRICS_FLUSH_MS, REFUSALS_GATHERED_MAX_COUNT } from "../../src/limits.ts";
import { sealRefusal } from "../../src/watch/refusals.ts";
import { call, createOrg, freshOrg } from "../support/client.ts";
import { orgKey, unknownKey } from "../http/support.ts";
import { actsOf, saysOf, sizeOf } from "../query/support.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { growthOf } from "./support.ts";

const HOUR = 3_600_000;
const PLATFORM = "platform";

let latest = 0;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Math.max(latest, Date.now()));
  // What earlier tests left behind is handed over first, and then it is quiet for a while.
  await handOver();
  vi.setSystemTime(Date.now() + METRICS_FLUSH_MS);
});
afterEach(() => {
  latest = Date.now();
  restoreFaults();
  vi.useRealTimers();
});

/** Lets the time pass after which any request hands over what was gathered. */
async function handOver(): Promise<void> {
  vi.setSystemTime(Date.now() + METRICS_FLUSH_MS);
  await call("GET", "/openapi.json");
}

/** Refuses a call of key `name` without one: after the answer, all refusals are alike. */
function refused(refusal: Refusal, { org, name }: { org: string; name: string }): Promise<void> {
  const caller = { kind: "trusted", name, scopes: [], orgs: "*" } as const;
  return sealRefusal(configOf(env), { org, caller, refusal });
}
const FORBIDDEN = refuse("forbidden", "This key lacks a scope.").refusal;

/** Refused calls that an org's ledger has counted and not sealed yet, by key and code. */
async function counted(org: string, key: string): Promise<number> {
  return runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    const row = storage.sql.exec("select coalesce(sum(count), 0) as calls from refusal where key = ?", key).one();
    return Number(row["calls"]);
  });
}

/** Waits until so many refused calls are counted; throws when it does not come to that soon. */
function untilCounted(calls: number, org: string, key: string): Promise<void> {
  return vi.waitFor(async () => expect(await counted(org, key)).toBeGreaterThanOrEqual(calls), { timeout: 500 });
}

/** Lets time pass, and an org's ledger do what is due then; answers the refusals sealed since `from`. */
async function sealedAfter(ms: number, org: string, from = 0): Promise<Record<string, any>[]> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(env.ORG_LEDGER.getByName(org));
  const acts = await actsOf(org, "indelible.access.refused", from);
  return acts.map((act) => ({ ...saysOf(act), key: act.actor?.id, category: act.leaf.category }));
}

describe("refused calls", () => {
  it("of keys that lack a scope are sealed once an hour and key, in the org's own log", async () => {
    const org = await createOrg("refused");
    const reader = await orgKey(org, ["events:append"]);
    const writer = await orgKey(org, ["events:read"]);
    for (let n = 0; n < 5; n++) await call("GET", `/v1/orgs/${org}/events`, { key: reader.key });
    for (let n = 0; n < 2; n++) await call("GET", `/v1/orgs/${org}/status`, { key: writer.key });
    await handOver();
    await expect.poll(() => counted(org, reader.id)).toBe(5);
    await expect.poll(() => counted(org, writer.id)).toBe(2);
    expect(await sealedAfter(HOUR / 2, org)).toEqual([]);
    const sealed = await sealedAfter(HOUR / 2, org);
    expect(sealed).toHaveLength(2);
    expect(sealed).toContainEqual(expect.objectContaining({ key: reader.id, code: "forbidden", calls: 5 }));
    expect(sealed).toContainEqual(expect.objectContaining({ key: writer.id, calls: 2, category: "log_access" }));
    expect(await counted(org, reader.id)).toBe(0);
    expect(await sealedAfter(2 * HOUR, org)).toHaveLength(2);
  });

  it("at orgs that are not the key's to see are sealed in org platform, and leave nothing in those orgs", async () => {
    const mine = await createOrg("mine");
    const theirs = await createOrg("theirs");
    const { key, id } = await orgKey(mine, ["events:read"]);
    const before = await sizeOf(PLATFORM);
    for (const org of [theirs, theirs, "no-such-org"]) await call("GET", `/v1/orgs/${org}/events`, { key });
    await handOver();
    await expect.poll(() => counted(PLATFORM, id)).toBe(3);
    const sealed = await sealedAfter(HOUR, PLATFORM, before);
    expect(sealed.filter((one) => one["key"] === id)).toMatchObject([{ code: "not_found", calls: 3 }]);
    expect(await sizeOf(theirs)).toBe(1);
  });

  it("do not include asking for an entry that is not there yet", async () => {
    const org = await createOrg("polled");
    const { key, id } = await orgKey(org, ["events:read"]);
    for (let n = 0; n < 3; n++) expect((await call("GET", `/v1/orgs/${org}/events/later`, { key })).status).toBe(404);
    await call("GET", `/v1/orgs/no-such-org/events`, { key });
    await handOver();
    await expect.poll(() => counted(PLATFORM, id)).toBe(1);
  });

  it("reach the ledger at once after a quiet time, and then together", async () => {
    const org = await createOrg("gathered");
    const { key, id } = await orgKey(org, ["events:append"]);
    const attempt = () => call("GET", `/v1/orgs/${org}/events`, { key });
    await attempt();
    await expect.poll(() => counted(org, id)).toBe(1);
    for (let n = 0; n < 4; n++) await attempt();
    await expect(untilCounted(2, org, id)).rejects.toThrow();
    await handOver();
    await expect.poll(() => counted(org, id)).toBe(5);
  });

  it("at orgs with invented names are gathered as one, however many there are", async () => {
    const name = freshOrg("key");
    const attempt = () => refused(NOT_FOUND.refusal, { org: freshOrg("invented"), name });
    await attempt();
    expect(await counted(PLATFORM, name)).toBe(1);
    for (let n = 0; n < 2 * REFUSALS_GATHERED_MAX_COUNT; n++) await attempt();
    expect(await counted(PLATFORM, name)).toBe(1);
    await handOver();
    await untilCounted(1 + 2 * REFUSALS_GATHERED_MAX_COUNT, PLATFORM, name);
  });

  it("of a kind that was not seen of late are handed over at once, whoever else was refused just now", async () => {
    const org = await createOrg("kinds");
    await call("GET", `/v1/orgs/${org}/events`, { key: "junk" });
    for (const name of ["a", "b"]) {
      await refused(FORBIDDEN, { org, name });
      expect(await counted(org, name)).toBe(1);
    }
  });

  it("are handed over before their time when there are more kinds than an isolate gathers", async () => {
    const org = await createOrg("many");
    const attempt = (n: number) => refused(FORBIDDEN, { org, name: `key-${n}` });
    for (let n = 0; n < REFUSALS_GATHERED_MAX_COUNT - 1; n++) await attempt(n);
    await attempt(7);
    expect(await counted(org, "key-7")).toBe(1);
    await attempt(REFUSALS_GATHERED_MAX_COUNT);
    expect(await counted(org, "key-7")).toBe(2);
  });

  it("are not forgotten when their ledger cannot be told", async () => {
    const org = await createOrg("untold");
    const fault = replaceMethod(env.ORG_LEDGER, "getByName", () => {
      throw new Error("injected by the test");
    });
    for (let n = 0; n < 3; n++) await refused(FORBIDDEN, { org, name: "key" });
    fault.restore();
    await handOver();
    await untilCounted(3, org, "key");
  });

  it("without a valid key are counts in org platform, handed over together, and a metric", async () => {
    const org = await createOrg("junked");
    const junk = () => call("GET", `/v1/orgs/${org}/events`, { key: "junk" });
    const noneCounted = () => counted(PLATFORM, "none");
    // What earlier tests left behind is sealed first.
    await sealedAfter(HOUR, PLATFORM);
    await expect.poll(noneCounted).toBe(0);
    const before = await sizeOf(PLATFORM);

    const grown = await growthOf(async () => {
      await junk();
      await expect.poll(noneCounted).toBe(1);
      for (let n = 0; n < 6; n++) await junk();
      await call("GET", `/v1/orgs/${org}/events`, { key: null });
      expect(await noneCounted()).toBe(1);
      vi.setSystemTime(Date.now() + METRICS_FLUSH_MS);
      await call("GET", "/v1/keys", { key: unknownKey("p") });
      await expect.poll(noneCounted).toBe(9);
    });
    expect(grown["audit_unauthorized_total"]).toBe(9);
    const sealed = await sealedAfter(HOUR, PLATFORM, before);
    expect(sealed.filter((one) => one["key"] === "none")).toMatchObject([{ code: "unauthorized", calls: 9 }]);
    expect(await sizeOf(org)).toBe(1);
  });
});
