import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { call, createOrg, event } from "../support/client.ts";
import { problemOf } from "../http/support.ts";
import { metricsNow } from "../watch/support.ts";
import { list } from "./support.ts";

const REFUSED = 'audit_cross_org_refusals_total{at="read"}';

let org = "";
let other = "";
beforeAll(async () => {
  other = await createOrg("owner");
  const body = { events: [event(1), event(2, { id: "secret-1", reason: "of-the-other-org" })] };
  await call("POST", `/v1/orgs/${other}/events`, { body });
  await list(other, { min_size: 3 });
});
beforeEach(async () => {
  org = await createOrg("planted");
  await call("POST", `/v1/orgs/${org}/events`, { body: { events: [event(1, { id: "mine" }), event(2), event(3)] } });
  await list(org, { min_size: 4 });
});

const SLOTS = Array.from({ length: 16 }, (_, n) => String(n).padStart(2, "0"));

/** Where D1 has the row of an index: its cell and key. */
async function rowOf(of: string, index: number): Promise<{ cell: D1Database; key: number }> {
  const status = await call("GET", `/v1/orgs/${of}/status`);
  const [{ cell, org_number }] = status.json.placements;
  return { cell: cell === "CELL_0" ? env.CELL_0 : env.CELL_1, key: org_number * 2 ** 32 + index };
}

async function recordOf(of: string, index: number): Promise<string> {
  const { cell, key } = await rowOf(of, index);
  for (const slot of SLOTS) {
    const row = await cell.prepare(`select record from entry_${slot} where key = ?`).bind(key).first<string>("record");
    if (row !== null) return row;
  }
  throw new Error("no such row");
}

async function plant(index: number, record: string): Promise<void> {
  const { cell, key } = await rowOf(org, index);
  for (const slot of SLOTS) {
    await cell.prepare(`update entry_${slot} set record = ? where key = ?`).bind(record, key).run();
  }
}

describe("a row in D1 whose leaf is not the one asked for", () => {
  it("is never answered when it names another org: 500, and the metric counts it", async () => {
    await plant(2, await recordOf(other, 2));
    const before = await metricsNow();
    const answers = [await call("GET", `/v1/orgs/${org}/events/2`), await list(org), await list(org, { order: "asc" })];
    for (const answer of answers) {
      problemOf(answer, "internal");
      expect(answer.text).not.toContain("secret-1");
      expect(answer.text).not.toContain("of-the-other-org");
    }
    const after = await metricsNow();
    expect((after.get(REFUSED) ?? 0) - (before.get(REFUSED) ?? 0)).toBe(3);
  });

  it("is never answered when it names another index of the same org", async () => {
    await plant(2, await recordOf(org, 3));
    problemOf(await call("GET", `/v1/orgs/${org}/events/2`), "internal");
    expect((await call("GET", `/v1/orgs/${org}/events/3`)).status).toBe(200);
  });

  it.each(["", "{}", "null", '{"leaf":"{}","sections":{}}', "not json"])(
    "is never answered when it is %j",
    async (row) => {
      await plant(2, row);
      problemOf(await call("GET", `/v1/orgs/${org}/events/2`), "internal");
      problemOf(await list(org), "internal");
    },
  );

  it("leaves the rest of the log readable", async () => {
    await plant(2, await recordOf(other, 2));
    expect((await call("GET", `/v1/orgs/${org}/events/mine`)).status).toBe(200);
    expect((await list(org, { before_index: 2 })).json.data).toHaveLength(2);
    expect((await list(org, { actor: "u_3" })).json.data).toHaveLength(1);
  });
});
