import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BACKLOG_MAX_BYTES } from "../../src/limits.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakSegments, evict, restoreFaults } from "../support/faults.ts";
import { orgKey, problemOf } from "../http/support.ts";
import { list } from "./support.ts";

let org = "";
let key = "";
beforeEach(async () => {
  org = await createOrg("yielding");
  ({ key } = await orgKey(org, ["events:read", "events:append"]));
});
afterEach(() => {
  vi.useRealTimers();
  restoreFaults();
});

const append = () => call("POST", `/v1/orgs/${org}/events`, { body: event(1), key });

describe("reads of one key", () => {
  it("are 50 a second: the next is refused with 429 until time has passed, appends go on", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const burst = await Promise.all(Array.from({ length: 60 }, () => list(org, { limit: 1 }, key)));
    expect(burst.filter(({ status }) => status === 200)).toHaveLength(50);
    const refused = burst.filter(({ status }) => status !== 200);
    for (const answer of refused) {
      expect(problemOf(answer, "rate_limited").detail).toContain("50");
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    expect((await append()).status).toBe(201);
    vi.setSystemTime(Date.now() + 100);
    const after = await Promise.all(Array.from({ length: 8 }, () => list(org, { limit: 1 }, key)));
    expect(after.filter(({ status }) => status === 200)).toHaveLength(5);
  });

  it("do not use up another key's, nor another org's", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const read = (path: string, by: string) => call("GET", path, { key: by });
    for (let n = 0; n < 50; n++) await read(`/v1/orgs/${org}`, key);
    problemOf(await read(`/v1/orgs/${org}`, key), "rate_limited");
    const other = await orgKey(org, ["events:read"]);
    expect((await read(`/v1/orgs/${org}`, other.key)).status).toBe(200);
    expect((await read(`/v1/orgs/${await createOrg("calm")}`, env.ROOT_KEY)).status).toBe(200);
  });
});

describe("a ledger whose backlog nears its limit", () => {
  /** Makes the ledger believe that what it has staged weighs so much, and nothing drains. */
  async function weigh(bytes: number): Promise<void> {
    breakSegments(org, "put", "failed");
    await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
      storage.sql.exec("update staged set bytes = ? where first = 0", bytes);
    });
    await evict(org);
  }

  it("refuses reads with 503 from 90 % on, and goes on taking events", async () => {
    await weigh(BACKLOG_MAX_BYTES * 0.9);
    for (const path of ["events", "events/0", "verify", ""]) {
      const refused = await call("GET", `/v1/orgs/${org}/${path}`.replace(/\/$/, ""), { key });
      expect(problemOf(refused, "overloaded").detail).toContain("backlog");
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect((await append()).status).toBe(201);
  });

  it("takes reads below that", async () => {
    await weigh(BACKLOG_MAX_BYTES * 0.89);
    expect((await list(org, {}, key)).status).toBe(200);
  });

  it("refuses events as well at the limit, and says so in its status", async () => {
    await weigh(BACKLOG_MAX_BYTES + 1);
    const refused = await append();
    expect(problemOf(refused, "overloaded").detail).toContain(String(BACKLOG_MAX_BYTES));
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const status = await call("GET", `/v1/orgs/${org}/status`);
    expect(status.json.ingestion.state).toBe("overloaded");
  });
});
