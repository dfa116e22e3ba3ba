import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { SCOPES } from "../../src/schema/caller.ts";
import { bytesOf, orgKey, platformKey, problemOf, viewerToken } from "../http/support.ts";
import { list, sizeOf, walk } from "../query/support.ts";
import { call, createOrg, freshOrg } from "../support/client.ts";

/** What both orgs are told, word for word, but for `mark`: the same ids of events, batches, actors, targets and sessions. */
const COUNT = 12;
function eventsOf(mark: string) {
  const target = { type: "document", id: "d_1" };
  const context = { ip: "192.0.2.1", session_id: "s_1", request_id: "r_1" };
  return Array.from({ length: COUNT }, (_, n) => {
    const party = { actor: { type: "user", id: "u_1" }, on_behalf_of: { type: "user", id: "u_2" }, targets: [target] };
    return { id: `e-${n}`, action: "document.share", ...party, context, metadata: { mark, n } };
  });
}

type Side = { org: string; mark: string; key: string; hashes: string[] };
let left: Side;
let right: Side;
let shared = "";

async function sideOf(mark: string): Promise<Side> {
  const org = await createOrg(`twin-${mark}`);
  const { key } = await orgKey(org, SCOPES);
  const headers = { "idempotency-key": "the-batch" };
  const sent = await call("POST", `/v1/orgs/${org}/events`, { body: { events: eventsOf(mark) }, key, headers });
  expect(sent.json.data.map(({ duplicate }: any) => duplicate)).toEqual(Array(COUNT).fill(false));
  const hashes = sent.json.data.map(({ entry_hash }: any) => entry_hash);
  await call("GET", `/v1/orgs/${org}/checkpoint?min_size=${COUNT}`);
  await call("GET", `/v1/orgs/${org}/events?min_size=${await sizeOf(org)}&limit=1`);
  return { org, mark, key, hashes };
}

beforeAll(async () => {
  left = await sideOf("left");
  right = await sideOf("right");
  ({ key: shared } = await platformKey(SCOPES));
});

/** Every way over HTTP to what an org holds, below its URL. A new one is a line here. */
const PATHS: [name: string, path: string][] = [
  ["a list", "/events"],
  ["a list, oldest first", "/events?order=asc"],
  ["a list by actor", "/events?actor=u_1"],
  ["a list by who was acted for", "/events?on_behalf_of=u_2"],
  ["a list by target", "/events?target=d_1&target_type=document"],
  ["a list by action", "/events?action=document.*"],
  ["a list by session", "/events?session_id=s_1&ip=192.0.2.1&request_id=r_1"],
  ["a search", `/events?q=${encodeURIComponent('actor:u_1 "document share" -result:denied')}`],

  ["a history", "/targets/document/d_1/history"],
  ["an entry by id", "/events/e-3"],
  ["an entry by index", "/events/5"],
  ["an entry by the number of its log", "/1/events/5"],
  ["the proof of an entry", "/events/e-3/proof"],
  ["a verification", "/verify"],
  ["the checkpoint", "/checkpoint"],
  ["the leaves", `/tile/entries/000.p/${COUNT}`],
  ["the org itself", ""],
];

const log = () => exports.AuditLog({ props: { name: "twin", orgs: "*", scopes: [...SCOPES] } });

/** And by service binding. */
const CALLS: [name: string, ask: (org: string) => Promise<{ ok: boolean }>][] = [
  ["list", (org) => log().list(org)],
  ["list of a search", (org) => log().list(org, { q: "actor:u_1 share", "-result": "denied" })],
  ["history", (org) => log().history(org, "document", "d_1")],
  ["get", (org) => log().get(org, "e-3")],
  ["prove", (org) => log().prove(org, "e-3")],
  ["checkpoint", (org) => log().checkpoint(org)],
  ["verify", (org) => log().verify(org)],
];

/** A proof holds its record in base64: what that says counts as well. */
function readable(text: string): string {
  return text + text.replaceAll(/[A-Za-z0-9+/]{40,}={0,2}/g, (part) => Buffer.from(part, "base64").toString("latin1"));
}

function showsOnly(text: string, { own, foreign }: { own: Side; foreign: Side }): void {
  const all = readable(text);
  expect(all).toContain(own.org);
  for (const name of [foreign.org, `"${foreign.mark}"`]) expect(all).not.toContain(name);
}

/** Each of the two, beside the other. */
const bothWays = () => [
  { own: left, foreign: right },
  { own: right, foreign: left },
];

describe.each(PATHS)("of two orgs with the same ids everywhere, %s", (_, path) => {
  it("shows each its own: to its own key, to one for both, and to a viewer", async () => {
    for (const sides of bothWays()) {
      const { org, key } = sides.own;
      const { token } = await viewerToken(org, { key, scopes: ["events:read", "personal:read"] });
      for (const as of [key, shared, token]) {
        const answer = await call("GET", `/v1/orgs/${org}${path}`, { key: as });
        expect(answer.status, answer.text).toBe(200);
        showsOnly(answer.text, sides);
      }
    }
  });

  it("tells who is of the one nothing of the other, not even that it is there", async () => {
    for (const { own, foreign } of bothWays()) {
      const { token } = await viewerToken(own.org, { key: own.key });
      const { token: fromShared } = await viewerToken(own.org, { key: shared });
      for (const key of [own.key, token, fromShared]) {
        const ask = (org: string) =>
          call("GET", `/v1/orgs/${org}${path}`, { key, headers: { "x-request-id": "the-same" } });
        const refused = await ask(foreign.org);
        problemOf(refused, "not_found");
        expect(bytesOf(await ask(freshOrg("nobody")))).toEqual(bytesOf(refused));
      }
    }
  });
});

/** Answers of counts name no org: what tells them apart is how many. */
describe.each(["/stats?group_by=action", "/stats?group_by=actor", "/stats?group_by=target_type", "/actions"])(
  "of two orgs with the same ids everywhere, %s",
  (path) => {
    it("counts each its own, and is nothing to who is of the other", async () => {
      const { org, key } = await sideOf("third");
      const more = eventsOf("more").map((event) => ({ ...event, id: `${event.id}-more` }));
      await call("POST", `/v1/orgs/${org}/events`, { body: { events: more }, key });
      await call("GET", `/v1/orgs/${org}/events?min_size=${await sizeOf(org)}&limit=1`);
      for (const { own, foreign, count } of [
        { own: { org, key }, foreign: left, count: 2 * COUNT },
        { own: left, foreign: { org, key }, count: COUNT },
      ]) {
        const answer = await call("GET", `/v1/orgs/${own.org}${path}`, { key: own.key });
        const names = ["document.share", "user u_1", "u_1", "document"];
        const found = answer.json.data.filter((row: any) => names.includes(row.value?.id ?? row.value ?? row.action));
        expect(
          found.map((row: any) => row.count),
          answer.text,
        ).toEqual([count]);
        problemOf(await call("GET", `/v1/orgs/${foreign.org}${path}`, { key: own.key }), "not_found");
      }
    });
  },
);

describe.each(CALLS)("of two such orgs, AuditLog.%s", (_, ask) => {
  it("shows each its own", async () => {
    for (const sides of bothWays()) {
      const answer = await ask(sides.own.org);
      expect(answer.ok, JSON.stringify(answer)).toBe(true);
      showsOnly(JSON.stringify(answer), sides);
    }
  });
});

describe("two such orgs", () => {
  it("have batches, ids and keys of the same names, each its own", async () => {
    const headers = { "idempotency-key": "the-batch" };
    for (const { org, key, mark, hashes } of [left, right]) {
      const again = await call("POST", `/v1/orgs/${org}/events`, { body: { events: eventsOf(mark) }, key, headers });
      expect(again.json.data.map(({ entry_hash }: any) => entry_hash)).toEqual(hashes);
    }
    expect(left.hashes.filter((hash) => right.hashes.includes(hash))).toEqual([]);
    const made = (org: string) =>
      call("POST", `/v1/orgs/${org}/keys`, { body: { name: "k", scopes: ["events:read"] }, headers });
    const [one, two] = [await made(left.org), await made(right.org)];
    expect(one.json.key).not.toBe(two.json.key);
    problemOf(await call("GET", `/v1/orgs/${right.org}/events`, { key: one.json.key }), "not_found");
  });

  it("refuse the cursor of the other, to who may read both and to viewers of each", async () => {
    const { token } = await viewerToken(right.org, { key: right.key });
    const page = await list(left.org, { actor: "u_1", limit: 2 }, shared);
    const { next_cursor: cursor } = page.json;
    for (const key of [shared, right.key, token]) {
      problemOf(await list(right.org, { actor: "u_1", limit: 2, cursor }, key), "invalid_request");
    }
    const binding: any = await log().list(right.org, { actor: "u_1", limit: 2, cursor });
    expect(binding.refusal.code).toBe("invalid_request");
  });

  it("are walked to the end, each its own, page by page in turn", async () => {
    const between = () => list(right.org, { actor: "u_1", limit: 3 }, shared);
    const { entries } = await walk(left.org, { actor: "u_1", limit: 3 }, { keys: [shared], between });
    expect(entries.map(({ id, metadata }) => [id, metadata.mark])).toEqual(
      Array.from({ length: COUNT }, (_, n) => [`e-${COUNT - 1 - n}`, "left"]),
    );
  });
});
