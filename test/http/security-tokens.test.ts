import { beforeAll, describe, expect, it } from "vitest";
import { viewerTokenText } from "../../src/auth/viewer-token.ts";
import { configOf } from "../../src/env.ts";
import { operations } from "../../src/http/app.ts";
import { SCOPES, type Scope } from "../../src/schema/caller.ts";
import { CATEGORIES, PLATFORM_ORG } from "../../src/schema/names.ts";
import { env } from "cloudflare:workers";
import { actsOf, entriesOf, saysOf, sizeOf } from "../query/support.ts";
import { type Answer, call, createOrg, freshOrg } from "../support/client.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./route-table.ts";
import { bytesOf, orgKey, problemOf, spoiled, viewerToken } from "./support.ts";

const routes = operations.map(({ id, scope }) => ({ id, scope, route: ROUTES[id] as Route }));
const idsOf = (wanted: (of: { route: Route; scope: Scope | null }) => boolean) =>
  routes.filter(wanted).map(({ id }) => id);
const ofOrgs = idsOf(({ route }) => route.of === "org");
const ofPlatform = idsOf(({ route }) => route.of === "platform" || route.of === "root");
const reading = idsOf(({ route, scope }) => route.of === "org" && scope === "events:read");

/** Stands in every section of an event a client may send: an answer that holds it shows sections. */
const MARK = "mark-of-sections";
const TARGET = { type: MARK, id: MARK, name: MARK, metadata: MARK };
const PARTY = { ...TARGET, email: MARK };
const MARKED = {
  ...{ action: `${MARK}.done`, actor: PARTY, on_behalf_of: PARTY, targets: [TARGET], reason: MARK, metadata: MARK },
  ...{ changes: { before: { a: MARK }, after: { a: MARK } }, context: { ip: MARK, session_id: MARK } },
};

let org = "";
let other = "";
beforeAll(async () => {
  org = await createOrg("walked");
  other = await createOrg("walked-not");
  expect((await call("POST", `/v1/orgs/${org}/events`, { body: MARKED })).status).toBe(201);
});

/** The right request for a route, to `org` or where it says, with a token for a key. */
async function send(id: string, key: string, to = org): Promise<Answer> {
  const { method, path, body, headers } = await (ROUTES[id] as Route).make(org);
  const asked = { body, key, headers: { ...headers, "x-request-id": "the-same" } };
  return call(method, path.replace(org, to), asked);
}

const RESTRICT = { categories: [...CATEGORIES] };

describe.each(ofOrgs)("%s, with a viewer token,", (id) => {
  const { viewers, status } = ROUTES[id] as Route;

  it(`${viewers === undefined ? "is refused" : "works"}, whatever the key that minted it may`, async () => {
    const { key } = await orgKey(org, SCOPES);
    const { token } = await viewerToken(org, { key, scopes: ["events:read", "personal:read"] });
    const answer = await send(id, token);
    if (viewers === undefined) problemOf(answer, "forbidden");
    else expect(answer.status, answer.text).toBe(status);
  });

  it(`${viewers === "any" ? "works" : "is refused"} to one that is restricted`, async () => {
    const { token } = await viewerToken(org, { restriction: RESTRICT });
    const answer = await send(id, token);
    if (viewers === "any") expect(answer.status, answer.text).toBe(status);
    else problemOf(answer, "forbidden");
  });

  it("is refused to one that has expired, was spoiled, or lost the key that minted it", async () => {
    const { key, id: minter } = await orgKey(org, SCOPES);
    const { token } = await viewerToken(org, { key });
    const claims = { v: 1, org, minter: { kind: "org", key: minter }, actor: { type: "user", id: "u" } } as const;
    const dead = { ...claims, scopes: ["events:read"], restriction: null, expires_at: Date.now() - 1 } as const;
    const expired = viewerTokenText(configOf(env), "ind_vaaaaaaaaaaaa", { ...dead, scopes: [...dead.scopes] });
    problemOf(await send(id, expired), "unauthorized");
    problemOf(await send(id, spoiled(token)), "unauthorized");
    expect((await call("DELETE", `/v1/orgs/${org}/keys/${minter}`)).status).toBe(200);
    problemOf(await send(id, token), "unauthorized");
  });

  it.each([undefined, RESTRICT])(
    "answers the same bytes for another org, platform and none (restricted: %j)",
    async (restriction) => {
      const { token } = await viewerToken(org, restriction === undefined ? {} : { restriction });
      const foreign = await send(id, token, other);
      problemOf(foreign, "not_found");
      for (const to of [freshOrg("nobody"), PLATFORM_ORG, "no!"]) {
        expect(bytesOf(await send(id, token, to)), to).toEqual(bytesOf(foreign));
      }
    },
  );
});

describe.each(ofPlatform)("%s, of the platform,", (id) => {
  it("is refused to a viewer token, though the root key minted it", async () => {
    const { token } = await viewerToken(org);
    problemOf(await send(id, token), "forbidden");
  });
});

describe.each(reading)("an answer of %s", (id) => {
  const { shown } = ROUTES[id] as Route;

  it(
    shown === undefined ? "shows no sections and leaves no trace" : "has its trace, with the right count",
    async () => {
      const { key, id: name } = await orgKey(org, SCOPES);
      const before = await sizeOf(org);
      const answer = await send(id, key);
      const traces = (await actsOf(org, "indelible.read", before)).filter(({ event }) => event?.key === name);
      if (shown === undefined) {
        expect(traces).toEqual([]);
        expect(answer.headers.get("audit-read-index")).toBeNull();
        expect(answer.text).not.toContain(MARK);
        return;
      }
      const [trace] = await entriesOf(org, Number(answer.headers.get("audit-read-index")));
      expect(traces.map(({ leaf }) => leaf.index)).toEqual([trace?.leaf.index]);
      expect(trace).toMatchObject({ actor: { type: "key", id: name }, leaf: { category: "log_access" } });
      expect(saysOf(trace)["results_count"]).toBe(shown(answer));
      expect(answer.headers.get("cache-control")).toBe("no-store");
    },
  );
});
