import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CORS_FRESH_MS, CORS_MAX_ORIGINS } from "../../src/limits.ts";
import { call, createOrg, freshOrg } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { actsOf, saysOf } from "../query/support.ts";
import { bytesOf, memberErrors, orgKey, problemOf, viewerToken } from "./support.ts";

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
  it("is answered without a key for the org's own pages, and says what they may send", async () => {
    const answer = await preflight(`/v1/orgs/${org}/events`, APP);
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(answer.headers.get("access-control-allow-origin")).toBe(APP);
    expect(answer.headers.get("access-control-allow-methods")).toBe("POST, GET");
    expect(answer.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(answer.headers.get("vary")).toBe("origin");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("of another page, to an org without pages, to none and to an impossible one is the same answer", async () => {
    const refused = bytesOf(await preflight(`/v1/orgs/${org}/events`, EVIL));
    for (const to of [await createOrg("plain"), freshOrg("nobody"), "no!"]) {
      expect(bytesOf(await preflight(`/v1/orgs/${to}/events`, APP))).toEqual(refused);
    }
    const answer = await preflight(`/v1/orgs/${org}/events`, EVIL);
    problemOf(answer, "method_not_allowed");
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("elsewhere is what OPTIONS always was: 405, and 404 where nothing is", async () => {
    for (const path of ["/v1/keys", "/healthz", "/metrics"])
      problemOf(await preflight(path, APP), "method_not_allowed");
    problemOf(await preflight(`/v1/orgs/${org}/nothing/here`, APP), "not_found");
    const bare = await call("OPTIONS", `/v1/orgs/${org}/events`, { key: null, headers: { origin: APP } });
    problemOf(bare, "method_not_allowed");
  });

  it("asks a ledger once a minute, however many come, and fails closed when it does not answer", async () => {
    const asked = replaceMethod(env.ORG_LEDGER, "getByName", (original, args) => original(...args));
    const many = Array.from({ length: 20 }, () => preflight(`/v1/orgs/${org}/events`, APP));
    for (const answer of await Promise.all(many)) expect(answer.status).toBe(204);
    expect(asked.hits).toBeLessThanOrEqual(1);
    vi.setSystemTime(Date.now() + CORS_FRESH_MS);
    asked.restore();
    replaceMethod(env.ORG_LEDGER, "getByName", () => {
      throw new Error("injected by the test");
    });
    problemOf(await preflight(`/v1/orgs/${org}/events`, APP), "method_not_allowed");
    restoreFaults();
    expect((await preflight(`/v1/orgs/${org}/events`, APP)).status).toBe(204);
  });

  it("follows the setting within a minute", async () => {
    await preflight(`/v1/orgs/${org}/events`, APP);
    await call("PUT", `/v1/orgs/${org}`, { body: { cors_origins: [] } });
    vi.setSystemTime(Date.now() + CORS_FRESH_MS);
    problemOf(await preflight(`/v1/orgs/${org}/events`, APP), "method_not_allowed");
  });
});

describe("an answer to a page", () => {
  it("can be read by the org's own, with the headers that matter, errors as well; never with credentials", async () => {
    const { token } = await viewerToken(org);
    const answers = [
      await from(APP, `/v1/orgs/${org}/events`, token),
      await from(APP, `/v1/orgs/${org}/events?nonsense=1`, token),
      await from(APP, `/v1/orgs/${org}/events`, "junk"),
      await from(APP, `/v1/orgs/${org}/status`, token),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 401, 403]);
    for (const { headers } of answers) {
      expect(headers.get("access-control-allow-origin")).toBe(APP);
      expect(headers.get("vary")).toBe("origin");
      expect(headers.get("access-control-allow-credentials")).toBeNull();
      for (const name of ["audit-read-index", "ratelimit", "ratelimit-policy", "x-request-id", "retry-after"]) {
        expect(headers.get("access-control-expose-headers")?.split(", ")).toContain(name);
      }
    }
  });

  it("cannot be read by others, and shows no page an org that is not there", async () => {
    const { key } = await orgKey(org, ["events:read"]);
    const other = await from(EVIL, `/v1/orgs/${org}/events`, key);
    expect([other.status, other.headers.get("access-control-allow-origin")]).toEqual([200, null]);
    const foreign = await from(APP, `/v1/orgs/${await createOrg("else")}/events`, key);
    problemOf(foreign, "not_found");
    for (const to of [freshOrg("nobody"), "no!"]) {
      expect(bytesOf(await from(APP, `/v1/orgs/${to}/events`, key))).toEqual(bytesOf(foreign));
    }
  });

  it("is as open as it was where a log is public: its tree to pages of everybody", async () => {
    await call("PUT", `/v1/orgs/${org}`, { body: { public_log: true } });
    const open = await from(EVIL, `/v1/orgs/${org}/log-key`, null);
    expect([open.status, open.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  });
});
