import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { entryPageSchema } from "../../src/schema/answers.ts";
import { type Answer, call, createOrg, event } from "../support/client.ts";
import { conforms, orgKey, problemOf } from "../http/support.ts";
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

/** The page says of index 2 that it cannot be read and nothing else; all others are there. */
function withoutSecond(page: Answer): void {
  const { data } = conforms(entryPageSchema, page.json);
  expect(data.map(({ index }) => index)).toEqual(expect.arrayContaining([0, 1, 2, 3]));
  const stub = data.find(({ index }) => index === 2);
  expect(stub).toEqual({ index: 2, log: `log.test/v1/orgs/${org}`, unreadable: expect.any(String) });
}

describe("a row in D1 whose leaf is not the one asked for", () => {
  it("is never answered when it names another org, breaks no list, and the metric counts it", async () => {
    await plant(2, await recordOf(other, 2));
    const before = await metricsNow();
    const got = await call("GET", `/v1/orgs/${org}/events/2`);
    problemOf(got, "internal");
    const pages = [await list(org), await list(org, { order: "asc" })];
    for (const page of pages) withoutSecond(page);
    for (const { text } of [got, ...pages]) {
      expect(text).not.toContain("secret-1");
      expect(text).not.toContain("of-the-other-org");
    }
    const after = await metricsNow();
    expect((after.get(REFUSED) ?? 0) - (before.get(REFUSED) ?? 0)).toBe(3);
  });

  it("is never answered when it names another index of the same org", async () => {
    await plant(2, await recordOf(org, 3));
    problemOf(await call("GET", `/v1/orgs/${org}/events/2`), "internal");
    withoutSecond(await list(org));
    expect((await call("GET", `/v1/orgs/${org}/events/3`)).status).toBe(200);
  });

  it.each(["", "{}", "null", '{"leaf":"{}","sections":{}}', "not json"])(
    "is never answered when it is %j",
    async (row) => {
      await plant(2, row);
      problemOf(await call("GET", `/v1/orgs/${org}/events/2`), "internal");
      withoutSecond(await list(org));
    },
  );

  it("leaves the rest of the log readable", async () => {
    await plant(2, await recordOf(other, 2));
    expect((await call("GET", `/v1/orgs/${org}/events/mine`)).status).toBe(200);
    expect((await list(org, { before_index: 2 })).json.data).toHaveLength(2);
    expect((await list(org, { actor: "u_3" })).json.data).toHaveLength(1);
  });
});

describe("a row of D1 in a format that is not known here", () => {
  const VERSION = /^version 2 is not known here$/;

  /** The entry at 2 as another version might write it: the leaf of our log and index, with members nobody knows. */
  async function plantVersion2(more: Record<string, unknown> = {}): Promise<string> {
    const record = JSON.parse(await recordOf(org, 2));
    const leaf = JSON.stringify({ ...JSON.parse(record.leaf), ...more, kind: "new", v: 2 });
    const salt = "A".repeat(22);
    const line = JSON.stringify({ leaf, sections: { person: { salt, text: '{"of":"a-name"}' } } });
    await plant(2, line);
    return line;
  }

  it("is shown raw, with what its leaf says, in a list and in a get", async () => {
    const line = await plantVersion2();
    const { key } = await orgKey(org, ["events:read", "personal:read"]);
    const got = await call("GET", `/v1/orgs/${org}/events/2`, { key });
    const listed = conforms(entryPageSchema, (await list(org, {}, key)).json).data.find(({ index }) => index === 2);
    for (const entry of [got.json, listed]) {
      expect(entry).toMatchObject({ index: 2, category: "general", source: "client", raw: line });
      expect(entry.unreadable).toMatch(VERSION);
    }
    problemOf(await call("GET", `/v1/orgs/${org}/events/2/proof`, { key }), "unprocessable");
  });

  it("shows no section to who may not see personal ones", async () => {
    const line = await plantVersion2();
    const { key } = await orgKey(org, ["events:read"]);
    const got = await call("GET", `/v1/orgs/${org}/events/2`, { key });
    expect(JSON.parse(got.json.raw)).toEqual({ leaf: JSON.parse(line).leaf });
    expect(got.text + (await list(org, {}, key)).text).not.toContain("a-name");
  });

  it.each([{ log: "log.test/v1/orgs/other" }, { index: 3 }, { index: "2" }])(
    "is refused when its leaf says %j",
    async (more) => {
      await plantVersion2(more);
      problemOf(await call("GET", `/v1/orgs/${org}/events/2`), "internal");
      const page = await list(org);
      withoutSecond(page);
      expect(page.text).not.toContain("a-name");
    },
  );

  it("is shown raw when only a section is of another shape", async () => {
    const record = JSON.parse(await recordOf(org, 2));
    record.sections.actor.text = '{"ids":["u_2"]}';
    await plant(2, JSON.stringify(record));
    const got = await call("GET", `/v1/orgs/${org}/events/2`);
    expect(got.json.unreadable).toContain("actor");
    expect(JSON.parse(got.json.raw)).toEqual(record);
    expect((await list(org)).json.data).toContainEqual(got.json);
  });
});
