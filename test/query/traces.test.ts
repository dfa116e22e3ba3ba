import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, createOrg, event } from "../support/client.ts";
import { breakSequencing, evict } from "../support/faults.ts";
import { orgKey, problemOf } from "../http/support.ts";
import { actsOf, entriesOf, list, saysOf, sizeOf } from "./support.ts";

const MINUTE = 60_000;

let org = "";
let id = "";
let key = "";
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  org = await createOrg("traces");
  ({ id, key } = await orgKey(org, ["events:read", "events:append", "personal:read"]));
  await append(20);
});
afterEach(() => {
  vi.useRealTimers();
});

async function append(count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => event(n));
  expect((await call("POST", `/v1/orgs/${org}/events`, { body: { events }, key })).status).toBe(201);
  await env.ORG_LEDGER.getByName(org).waitVisible(org, await sizeOf(org), 5_000);
}

/** Lets time pass, and the ledger do what is due then. */
async function pass(ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(env.ORG_LEDGER.getByName(org));
}

const readIndexOf = (answer: { headers: Headers }) => Number(answer.headers.get("audit-read-index"));

describe("the first answer of a read session", () => {
  it("seals who, what, why and from where before it leaves", async () => {
    const headers = {
      "audit-reason": "case 417",
      "cf-connecting-ip": "203.0.113.9",
      "user-agent": "SIEM/2.0",
      "x-request-id": "trace-me",
    };
    const query = "actor=u_1&category=general&limit=5&actor=u_2";
    const answer = await call("GET", `/v1/orgs/${org}/events?${query}`, { key, headers });
    const [trace, ...more] = await actsOf(org, "indelible.read");
    expect(more).toEqual([]);
    expect(trace?.leaf).toMatchObject({ index: readIndexOf(answer), source: "service", category: "log_access" });
    expect(trace?.event).toMatchObject({ action: "indelible.read", actor: { type: "key" }, key: id });
    expect(trace?.actor?.id).toBe(id);
    expect(trace?.note).toEqual({ reason: "case 417", query: "actor=u_1&actor=u_2&category=general" });
    expect(trace?.context).toEqual({ ip: "203.0.113.9", user_agent: "SIEM/2.0", request_id: "trace-me" });
    const indexes = answer.json.data.map(({ index }: any) => index);
    const range = { from: Math.min(...indexes), to: Math.max(...indexes) };
    expect(saysOf(trace)).toEqual({ route: "events.list", results_count: 5, range });
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("covers lists, gets and verification, each as a session of its own", async () => {
    const answers = [
      await list(org, { limit: 3 }, key),
      await call("GET", `/v1/orgs/${org}/events/3`, { key }),
      await call("GET", `/v1/orgs/${org}/verify`, { key }),
    ];
    const traces = await actsOf(org, "indelible.read");
    expect(traces.map((trace) => saysOf(trace)["route"])).toEqual(["events.list", "events.get", "verify"]);
    expect(traces.map(({ leaf }) => leaf.index)).toEqual(answers.map(readIndexOf));
    expect(saysOf(traces[1])).toMatchObject({ results_count: 1, range: { from: 3, to: 3 } });
  });

  it("does not leave when the trace cannot be sealed", async () => {
    const fault = await breakSequencing(org, "failed");
    const answer = await list(org, {}, key);
    fault.restore();
    problemOf(answer, "internal");
    expect(answer.text).not.toContain("document.share");
    expect(await actsOf(org, "indelible.read")).toEqual([]);
  });

  it("does not leave when the ledger refuses the trace, having been rewound", async () => {
    const { json } = await call("GET", `/v1/orgs/${org}/status`);
    const [{ cell, org_number }] = json.placements;
    const database = cell === "CELL_0" ? env.CELL_0 : env.CELL_1;
    await database.prepare("update cursor set next = 1000 where org_number = ?").bind(org_number).run();
    await evict(org);
    for (const path of ["events", "verify"]) {
      const answer = await call("GET", `/v1/orgs/${org}/${path}`, { key });
      expect(problemOf(answer, "overloaded").detail).toContain("rewound");
    }
  });

  it("takes a reason of 1,000 characters and refuses a longer one", async () => {
    const read = (reason: string) =>
      call("GET", `/v1/orgs/${org}/events`, { key, headers: { "audit-reason": reason } });
    expect((await read("x".repeat(1_000))).status).toBe(200);
    expect(problemOf(await read("x".repeat(1_001)), "invalid_request").detail).toContain("1000");
  });
});

describe("a read session", () => {
  it("is one for all pages of a walk, though the ledger is evicted on the way", async () => {
    const first = await list(org, { limit: 4 }, key);
    let { next_cursor: cursor } = first.json;
    let pages = 1;
    for (; cursor !== null; pages++) {
      if (pages % 2 === 0) await evict(org);
      const page = await list(org, { limit: 4, cursor }, key);
      expect(readIndexOf(page)).toBe(readIndexOf(first));
      cursor = page.json.next_cursor;
    }
    expect(pages).toBeGreaterThan(4);
    expect(await actsOf(org, "indelible.read")).toHaveLength(1);
  });

  it("is another for another key, another filter and another route", async () => {
    const other = await orgKey(org, ["events:read"]);
    await list(org, { actor: "u_1" }, key);
    await list(org, { actor: "u_1" }, other.key);
    await list(org, { actor: "u_2" }, key);
    await call("GET", `/v1/orgs/${org}/events/1`, { key });
    expect(await actsOf(org, "indelible.read")).toHaveLength(4);
    await list(org, { actor: "u_1", limit: 2 }, other.key);
    expect(await actsOf(org, "indelible.read")).toHaveLength(4);
  });

  it("is closed with its totals after 15 minutes of silence, and the next read opens another", async () => {
    const first = await list(org, { source: "client" }, key);
    vi.setSystemTime(Date.now() + 10 * MINUTE);
    await list(org, { source: "client", limit: 5 }, key);
    await pass(14 * MINUTE);
    expect(await actsOf(org, "indelible.read.closed")).toEqual([]);
    await pass(MINUTE);
    const [closed] = await actsOf(org, "indelible.read.closed");
    expect(saysOf(closed)).toMatchObject({
      route: "events.list",
      opened_index: readIndexOf(first),
      answers: 2,
      results: 25,
      range: { from: 2, to: 21 },
    });
    expect(closed?.actor?.id).toBe(id);
    const again = await list(org, { source: "client" }, key);
    expect(readIndexOf(again)).toBeGreaterThan(closed?.leaf.index as number);
  });

  it("is closed after 24 hours however busy it is", async () => {
    for (let hour = 0; hour < 25; hour++) {
      for (let n = 0; n < 5; n++) {
        await list(org, { limit: 1 }, key);
        vi.setSystemTime(Date.now() + 12 * MINUTE);
      }
    }
    const closed = await actsOf(org, "indelible.read.closed");
    expect(closed.map((entry) => saysOf(entry)["answers"])).toEqual([120]);
    expect(await actsOf(org, "indelible.read")).toHaveLength(2);
  });
});

describe("totals", () => {
  it("of opened and closed sessions equal the answers given, across evictions and concurrent reads", async () => {
    let answers = 0;
    let results = 0;
    const read = async (params: Record<string, string | number>) => {
      const answer = await list(org, params, key);
      answers += 1;
      results += answer.json.data.length;
    };
    for (let round = 0; round < 6; round++) {
      const params = [{ limit: 3 }, { actor: "u_1" }, { actor: "u_2" }, { limit: 7 }, { actor: "u_1", limit: 1 }];
      await Promise.all(params.map(read));
      await append(2);
      if (round % 2 === 0) await evict(org);
      if (round === 3) await pass(16 * MINUTE);
      vi.setSystemTime(Date.now() + MINUTE);
    }
    await pass(16 * MINUTE);
    const opened = await actsOf(org, "indelible.read");
    const closed = (await actsOf(org, "indelible.read.closed")).map(saysOf);
    expect(opened).toHaveLength(6);
    expect(new Set(closed.map(({ opened_index }) => opened_index))).toEqual(
      new Set(opened.map(({ leaf }) => leaf.index)),
    );
    expect(closed).toHaveLength(6);
    expect(closed.reduce((sum, one) => sum + one["answers"], 0)).toBe(answers);
    expect(closed.reduce((sum, one) => sum + one["results"], 0)).toBe(results);
  });
});

describe("a follower on an idle org", () => {
  it("adds 2 entries in an hour of polling every other second, not 1,800", async () => {
    const before = await sizeOf(org);
    let after_index = before - 1;
    for (let second = 0; second < 3_600; second += 2) {
      const page = await list(org, { order: "asc", after_index }, key);
      expect(page.status, page.text).toBe(200);
      after_index = page.json.data.at(-1)?.index ?? after_index;
      vi.setSystemTime(Date.now() + 2_000);
    }
    await pass(16 * MINUTE);
    const added = await entriesOf(org, before);
    expect(added.map(({ event }) => event?.action)).toEqual(["indelible.read", "indelible.read.closed"]);
    expect(saysOf(added[1])["answers"]).toBe(1_800);
  }, 120_000);
});
