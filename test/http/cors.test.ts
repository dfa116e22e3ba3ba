import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CORS_MAX_ORIGINS } from "../../src/limits.ts";
import { call, createOrg, freshOrg } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { actsOf, saysOf } from "../query/support.ts";
import { bytesOf, memberErrors, orgKey, problemOf, spoiled, viewerToken } from "./support.ts";

const APP = "https://app.example.com";
const EVIL = "https://evil.example.com";

let org = "";
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  org = await createOrg("pages");
  const put = await call("PUT", `/v1/orgs/${org}`, { body: { cors_origins: [APP, "http://localhost:5173"] } });
  expect(put.status, put.text).toBe(200);
});
afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

const SAME_ID = { "x-request-id": "the-same" };

/** What a browser sends before a request with a key, without one itself. */
function preflight(path: string, origin: string, method = "GET") {
  const headers = {
    origin,
    "access-control-request-method": method,
    "access-control-request-headers": "authorization",
  };
  return call("OPTIONS", path, { key: null, headers: { ...headers, ...SAME_ID } });
}

const from = (origin: string, path: string, key: string | null) =>
  call("GET", path, { key, headers: { origin, ...SAME_ID } });

describe("the setting cors_origins", () => {
  it("is answered and sealed like the others, and none by default", async () => {
    const [updated] = await actsOf(org, "indelible.org.updated");
    expect(saysOf(updated)).toMatchObject({ settings: { cors_origins: [APP, "http://localhost:5173"] } });
    expect((await call("GET", `/v1/orgs/${org}`)).json.cors_origins).toEqual([APP, "http://localhost:5173"]);
    expect((await call("GET", `/v1/orgs/${await createOrg("closed")}`)).json.cors_origins).toEqual([]);
  });

  it.each([
    "*",
    "null",
    "https://*.example.com",
    "http://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/path",
    "https://APP.example.com",
    "https://user@app.example.com",
    "https://app.example.com:443",
    "http://localhost.evil.com",
    "app.example.com",
    "file:///x",
    "",
  ])("refuses %j, which is no origin a browser sends or would let anybody in", async (origin) => {
    const refused = await call("PUT", `/v1/orgs/${org}`, { body: { cors_origins: [origin] } });
    expect(Object.keys(memberErrors(refused, "invalid_request"))).toEqual(["/cors_origins/0"]);
  });

  it(`takes ${CORS_MAX_ORIGINS} and no more`, async () => {
    const origins = Array.from({ length: CORS_MAX_ORIGINS + 1 }, (_, n) => `https://a${n}.example.com`);
    const put = (cors_origins: string[]) => call("PUT", `/v1/orgs/${org}`, { body: { cors_origins } });
    expect((await put(origins.slice(1))).status).toBe(200);
    problemOf(await put(origins), "invalid_request");
  });
});

describe("a preflight", () => {
  it("says what a page may send, the same for every org there is or not, and asks no ledger", async () => {
    const asked = replaceMethod(env.ORG_LEDGER, "getByName", (original, args) => original(...args));
    const own = await preflight(`/v1/orgs/${org}/events`, APP);
    expect([own.status, own.text]).toEqual([204, ""]);
    expect(own.headers.get("access-control-allow-origin")).toBe(APP);
    expect(own.headers.get("access-control-allow-methods")).toBe("POST, GET");
    expect(own.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(own.headers.get("vary")).toBe("origin");
    expect(own.headers.get("access-control-allow-credentials")).toBeNull();
    for (const to of [freshOrg("nobody"), "no!"]) {
      expect(bytesOf(await preflight(`/v1/orgs/${to}/events`, APP))).toEqual(bytesOf(own));
    }
    expect(asked.hits).toBe(0);
    expect((await preflight(`/v1/orgs/${org}/events`, EVIL)).headers.get("access-control-allow-origin")).toBe(EVIL);
    expect((await preflight(`/v1/orgs/${org}/events`, "http://localhost:5173")).status).toBe(204);
  });

  it.each(["null", "http://app.example.com", "https://a.example.com/x", "x"])(
    "of %j, which is no page's origin, is answered as without",
    async (origin) => {
      const answer = await preflight(`/v1/orgs/${org}/events`, origin);
      problemOf(answer, "method_not_allowed");
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    },
  );

  it("elsewhere is what OPTIONS always was: 405, and 404 where nothing is", async () => {
    for (const path of ["/v1/keys", "/healthz", "/metrics"])
      problemOf(await preflight(path, APP), "method_not_allowed");
    problemOf(await preflight(`/v1/orgs/${org}/nothing/here`, APP), "not_found");
    const bare = await call("OPTIONS", `/v1/orgs/${org}/events`, { key: null, headers: { origin: APP } });
    problemOf(bare, "method_not_allowed");
  });
});

describe("an answer to a page", () => {
  const allowed = ({ headers }: { headers: Headers }) => headers.get("access-control-allow-origin");

  it("costs no call of the ledger more than the same answer to nobody's page", async () => {
    const { key } = await orgKey(org, ["events:read"]);
    for (const path of ["events?limit=1", "events/0", "stats?group_by=action"]) {
      const hits = async (headers: Record<string, string>) => {
        const asked = replaceMethod(env.ORG_LEDGER, "getByName", (original, args) => original(...args));
        const answer = await call("GET", `/v1/orgs/${org}/${path}`, { key, headers });
        expect(allowed(answer)).toBe(headers["origin"] === APP ? APP : null);
        asked.restore();
        return asked.hits;
      };
      await hits({});
      const bare = await hits({});
      expect(await hits({ origin: APP })).toBe(bare);
      expect(await hits({ origin: EVIL })).toBe(bare);
    }
  });

  it("can be read by the org's own, with the headers that matter, errors as well; never with credentials", async () => {
    const { token } = await viewerToken(org);
    const { token: short } = await viewerToken(org, { expires_in_s: 1 });
    const answers = [
      await from(APP, `/v1/orgs/${org}/events`, token),
      await from(APP, `/v1/orgs/${org}/events?nonsense=1`, token),
      await from(APP, `/v1/orgs/${org}/status`, token),
    ];
    vi.setSystemTime(Date.now() + 60_000);
    answers.push(await from(APP, `/v1/orgs/${org}/events`, short));
    const closed = { enabled: false, reason: "looking" };
    expect((await call("PUT", `/v1/orgs/${org}/reads`, { body: closed })).status).toBe(200);
    answers.push(await from(APP, `/v1/orgs/${org}/events`, token));
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 403, 401, 503]);
    for (const { headers } of answers) {
      expect(headers.get("access-control-allow-origin")).toBe(APP);
      expect(headers.get("vary")).toBe("origin");
      expect(headers.get("access-control-allow-credentials")).toBeNull();
      for (const name of ["audit-read-index", "ratelimit", "ratelimit-policy", "x-request-id", "retry-after"]) {
        expect(headers.get("access-control-expose-headers")?.split(", ")).toContain(name);
      }
    }
  });

  it("shows who has no key, or junk, the same of every org, and asks no ledger", async () => {
    const { key } = await orgKey(org, ["events:read"]);
    const other = await createOrg("else");
    await call("PUT", `/v1/orgs/${other}`, { body: { cors_origins: [APP] } });
    const asked: string[] = [];
    replaceMethod(env.ORG_LEDGER, "getByName", (original, args) => {
      asked.push(args[0]);
      return original(...args);
    });
    for (const sent of ["junk", spoiled(key), null]) {
      const own = await from(APP, `/v1/orgs/${org}/events`, sent);
      problemOf(own, "unauthorized");
      expect(allowed(own)).toBeNull();
      for (const to of [other, freshOrg("nobody"), "no!"]) {
        expect(bytesOf(await from(APP, `/v1/orgs/${to}/events`, sent))).toEqual(bytesOf(own));
      }
    }
    // What refused calls are counted by is the service's own log, whoever was asked for.
    expect(asked.filter((name) => name !== "platform")).toEqual([]);
  });

  it("cannot be read by other pages, nor with a key or token of another org, of one that is there or not", async () => {
    const { key } = await orgKey(org, ["events:read"]);
    const other = await from(EVIL, `/v1/orgs/${org}/events`, key);
    expect([other.status, allowed(other)]).toEqual([200, null]);
    const there = await createOrg("else");
    await call("PUT", `/v1/orgs/${there}`, { body: { cors_origins: [APP] } });
    const { token } = await viewerToken(org);
    const { token: late } = await viewerToken(org, { expires_in_s: 1 });
    vi.setSystemTime(Date.now() + 60_000);
    for (const sent of [key, token, late]) {
      const foreign = await from(APP, `/v1/orgs/${there}/events`, sent);
      expect([foreign.status, allowed(foreign)]).toEqual([sent === late ? 401 : 404, null]);
      for (const to of [freshOrg("nobody"), "no!"]) {
        expect(bytesOf(await from(APP, `/v1/orgs/${to}/events`, sent))).toEqual(bytesOf(foreign));
      }
    }
  });

  it("cannot be read with a key that is revoked", async () => {
    const { id, key } = await orgKey(org, ["events:read"]);
    await call("DELETE", `/v1/orgs/${org}/keys/${id}`);
    const refused = await from(APP, `/v1/orgs/${org}/events`, key);
    expect([refused.status, allowed(refused)]).toEqual([401, null]);
  });

  it("follows the setting at once", async () => {
    const { key } = await orgKey(org, ["events:read"]);
    expect(allowed(await from(APP, `/v1/orgs/${org}/events`, key))).toBe(APP);
    await call("PUT", `/v1/orgs/${org}`, { body: { cors_origins: [] } });
    expect(allowed(await from(APP, `/v1/orgs/${org}/events`, key))).toBeNull();
  });

  it("is as open as it was where a log is public: its tree to pages of everybody", async () => {
    await call("PUT", `/v1/orgs/${org}`, { body: { public_log: true } });
    const open = await from(EVIL, `/v1/orgs/${org}/log-key`, null);
    expect([open.status, open.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  });
});
