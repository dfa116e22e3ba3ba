import { beforeAll, describe, expect, it } from "vitest";
import { operations } from "../../src/http/app.ts";
import { SCOPES, type Scope } from "../../src/schema/caller.ts";
import { PLATFORM_ORG } from "../../src/schema/names.ts";
import { type Answer, call, createOrg, freshOrg } from "../support/client.ts";
import { ROUTES } from "./route-table.ts";
import { bytesOf, orgKey, platformKey, problemOf, spoiled, unknownKey } from "./support.ts";

const routes = operations.map(({ id, scope }) => ({ id, scope, route: ROUTES[id]! }));
const withKeys = routes.filter(({ route }) => route.of !== "public").map(({ id }) => id);
const ofOrgs = routes.filter(({ route }) => route.of === "org").map(({ id }) => id);
const ofPlatform = routes.filter(({ route }) => route.of === "platform" || route.of === "root").map(({ id }) => id);

let org = "";
let other = "";
beforeAll(async () => {
  org = await createOrg("mine");
  other = await createOrg("theirs");
});

function scopeOf(id: string): Scope {
  return operations.find((operation) => operation.id === id)?.scope as Scope;
}

/** Every scope but one. */
function without(scope: Scope): Scope[] {
  return SCOPES.filter((one) => one !== scope);
}

/** The right request for a route, sent with another key; every call has the same request id, so that bytes compare. */
async function send(id: string, to: string, key: string | null): Promise<Answer> {
  const { method, path, body, headers } = await ROUTES[id]!.make(to);
  return call(method, path, { body, key, headers: { ...headers, "x-request-id": "the-same" } });
}

/** The same where the org need not exist: what has to be made beforehand is made elsewhere. */
async function sendTo(id: string, to: string, key: string): Promise<Answer> {
  const { method, path, body, headers } = await ROUTES[id]!.make(org);
  return call(method, path.replace(org, to), { body, key, headers: { ...headers, "x-request-id": "the-same" } });
}

describe.each(withKeys)("%s", (id) => {
  it("is refused without a key", async () => {
    const refused = await send(id, org, null);
    problemOf(refused, "unauthorized");
    expect(refused.headers.get("www-authenticate")).toBe("Bearer");
  });

  it("is refused with junk, with a wrong HMAC, and with a platform key nobody made", async () => {
    const { key } = await orgKey(org, SCOPES);
    const junk = ["junk", "ind_", `ind_o${"a".repeat(70)}`, spoiled(key), spoiled(unknownKey("p")), unknownKey("p")];
    for (const wrong of junk) problemOf(await send(id, org, wrong), "unauthorized");
  });

  it("is refused to a platform key without its scope", async () => {
    const { key } = await platformKey(without(scopeOf(id)));
    problemOf(await send(id, org, key), "forbidden");
  });
});

describe.each(ofOrgs)("%s, of an org,", (id) => {
  it("opens to a key of that org with its scope, and to a platform key for that org", async () => {
    const scopes = [scopeOf(id), ...(ROUTES[id]?.also ?? [])];
    const { key } = await orgKey(org, scopes);
    const { key: listed } = await platformKey(scopes, [org]);
    const { key: every } = await platformKey(scopes);
    for (const right of [key, listed, every]) expect((await send(id, org, right)).status).toBe(ROUTES[id]?.status);
  });

  it("is refused to a key of that org without its scope", async () => {
    const { key } = await orgKey(org, without(scopeOf(id)));
    problemOf(await send(id, org, key), "forbidden");
  });

  it("answers the same bytes for an org that is another's and one that does not exist", async () => {
    const { key } = await orgKey(other, SCOPES);
    const foreign = await send(id, org, key);
    problemOf(foreign, "not_found");
    expect(bytesOf(await sendTo(id, freshOrg("nobody"), key))).toEqual(bytesOf(foreign));
    expect(bytesOf(await send(id, org, unknownKey("o")))).toEqual(bytesOf(foreign));
    expect(bytesOf(await sendTo(id, "no!", key)), "a name no org can have").toEqual(bytesOf(foreign));
  });

  it("answers those same bytes to a platform key whose list has other orgs", async () => {
    const { key } = await platformKey(SCOPES, [other]);
    const foreign = await send(id, org, key);
    problemOf(foreign, "not_found");
    expect(bytesOf(await sendTo(id, freshOrg("nobody"), key))).toEqual(bytesOf(foreign));
  });

  it("never opens org platform to a key for every org", async () => {
    const { key } = await platformKey(SCOPES);
    problemOf(await sendTo(id, PLATFORM_ORG, key), "not_found");
  });

  it("is refused from the next call on once the key is revoked", async () => {
    const made = await orgKey(org, SCOPES);
    expect((await send(id, org, made.key)).status).toBe(ROUTES[id]?.status);
    expect((await call("DELETE", `/v1/orgs/${org}/keys/${made.id}`)).status).toBe(200);
    problemOf(await send(id, org, made.key), "unauthorized");
  });
});

describe.each(ofPlatform)("%s, of the platform,", (id) => {
  it("is refused to keys of orgs, whatever their scopes", async () => {
    const { key } = await orgKey(org, SCOPES);
    problemOf(await send(id, org, key), "forbidden");
  });

  it("is refused to a platform key for a list of orgs", async () => {
    const { key } = await platformKey(SCOPES, [org, other]);
    problemOf(await send(id, org, key), "forbidden");
  });

  it("opens to a platform key for every org, unless only the root key may", async () => {
    const { key } = await platformKey(SCOPES);
    const answer = await send(id, org, key);
    if (ROUTES[id]?.of === "root") problemOf(answer, "forbidden");
    else expect(answer.status).toBe(ROUTES[id]?.status);
  });

  it("is refused from the next call on once the platform key is revoked", async () => {
    const made = await platformKey(SCOPES);
    await send(id, org, made.key);
    expect((await call("DELETE", `/v1/keys/${made.id}`)).status).toBe(200);
    problemOf(await send(id, org, made.key), "unauthorized");
  });
});

describe("keys give no more than they have", () => {
  it("refuses a key that makes one with a scope it lacks, and org platform's keys to a key for every org", async () => {
    const { key } = await orgKey(org, ["keys:write", "events:read"]);
    const path = `/v1/orgs/${org}/keys`;
    const body = { name: "more", scopes: ["events:read", "events:append"] };
    const refused = await call("POST", path, { body, key });
    expect(problemOf(refused, "forbidden").detail).toContain("events:append");
    expect((await call("POST", path, { body: { name: "same", scopes: ["events:read"] }, key })).status).toBe(201);
  });

  it("asks for events:import where history is imported, and for events:append alone does not do", async () => {
    const { key } = await orgKey(org, ["events:append"]);
    const { key: importer } = await orgKey(org, ["events:import"]);
    const request = { body: { action: "a.b", actor: { type: "u", id: "1" } } };
    const headers = { "audit-delivery": "import" };
    const path = `/v1/orgs/${org}/events`;
    expect((await call("POST", path, { ...request, key })).status).toBe(201);
    problemOf(await call("POST", path, { ...request, key, headers }), "forbidden");
    problemOf(await call("POST", path, { ...request, key: importer }), "forbidden");
    expect((await call("POST", path, { ...request, key: importer, headers })).status).toBe(201);
    const queued = { ...headers, prefer: "respond-async" };
    problemOf(await call("POST", path, { ...request, key, headers: queued }), "forbidden");
    expect((await call("POST", path, { ...request, key: importer, headers: queued })).status).toBe(202);
  });
});
