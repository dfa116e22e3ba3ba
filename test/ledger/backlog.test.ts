import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakProjection, breakSegments, evict, restoreFaults } from "../support/faults.ts";

afterEach(restoreFaults);

/** A row that ends before entry 0, weighs this much and goes like any other: a backlog nobody has to write. */
async function weighDown(org: string, { entries, bytes }: { entries: number; bytes: number }): Promise<void> {
  await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    storage.sql.exec(
      "insert into staged (first, count, bytes, head, sequenced_at, lines) values (?, ?, ?, '', 0, '')",
      -entries,
      entries,
      bytes,
    );
  });
  await evict(org);
}

/** An org whose entries neither D1 nor R2 take. */
async function stuckOrg(stem: string): Promise<string> {
  const org = await createOrg(stem);
  await untilProjected(org);
  breakProjection(org, "failed");
  breakSegments(org, "put", "failed");
  // What is archived would go at a start, and the row that weighs is nowhere.
  breakSegments(org, "list", "failed");
  return org;
}

async function worksOff(org: string): Promise<void> {
  restoreFaults();
  await wake(org);
  const { ledger } = await later(30_000, () => checkLedger(org, { archived: true }));
  expect(ledger.staged.every(({ first }) => first >= 0)).toBe(true);
}

const append1 = (org: string, n: number) => call("POST", `/v1/orgs/${org}/events`, { body: event(n) });

describe("the backlog", () => {
  it("is taken up to 1,000,000 entries, then 503 with Retry-After, and all of it shows up afterwards", async () => {
    const org = await stuckOrg("entries");
    await append(org, batchOf([event(1), event(2)]));
    await weighDown(org, { entries: 1_000_000 - 5, bytes: 1 });
    expect((await append1(org, 3)).status).toBe(201);
    expect(await refusalOf(org, batchOf([event(4), event(5)]))).toMatchObject({ code: "overloaded" });
    expect((await append1(org, 4)).status).toBe(201);
    expect(await statusOf(org)).toMatchObject({ size: 5, ingestion: "overloaded", backlog: { entries: 1_000_000 } });
    const refused = await append1(org, 5);
    expect([refused.status, refused.json.code]).toEqual([503, "overloaded"]);
    expect(refused.json.detail).toContain("1000000 entries");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    await worksOff(org);
    expect((await append1(org, 5)).status).toBe(201);
    expect((await checkLedger(org)).entries.length).toBe(6);
  });

  it("is taken up to 2 GB", async () => {
    const org = await stuckOrg("bytes");
    await weighDown(org, { entries: 2, bytes: 2_000_000_000 - 2_000 });
    expect((await append1(org, 1)).status).toBe(201);
    const refused = await append1(org, 2);
    expect([refused.status, refused.json.code]).toEqual([503, "overloaded"]);
    expect(refused.json.detail).toContain("2000000000 bytes");
    await worksOff(org);
  });

  it("still answers a batch that was sealed before with its receipts", async () => {
    const org = await stuckOrg("known");
    const batch = batchOf([event(1, { id: "x" }), event(2)]);
    const first = await append(org, batch);
    await weighDown(org, { entries: 1_000_000, bytes: 1 });
    expect(await append(org, batch)).toEqual(first);
    expect(await refusalOf(org)).toMatchObject({ code: "overloaded" });
    await worksOff(org);
  });

  it("refuses reads from nine tenths on, while appends go on", async () => {
    const org = await stuckOrg("reads");
    await weighDown(org, { entries: 899_990, bytes: 1 });
    expect((await call("GET", `/v1/orgs/${org}/events`)).status).toBe(200);
    await weighDown(org, { entries: 900_000 - 899_990, bytes: 1 });
    const refused = await call("GET", `/v1/orgs/${org}/events`);
    expect([refused.status, refused.json.code]).toEqual([503, "overloaded"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await append1(org, 1)).status).toBe(201);
    await worksOff(org);
    expect((await call("GET", `/v1/orgs/${org}/events`)).status).toBe(200);
  });
});
