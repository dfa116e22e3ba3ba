import { beforeAll, describe, expect, it } from "vitest";
import { operations } from "../../src/http/app.ts";
import { call, createOrg } from "../support/client.ts";
import { memberErrors, problemOf } from "./support.ts";

let org = "";
beforeAll(async () => {
  org = await createOrg("protocol");
});

/** Each documented path with its parameters filled in, and the methods it takes. */
function paths(): [path: string, methods: string[]][] {
  const byPath = Map.groupBy(operations, ({ path }) => path);
  return [...byPath].map(([path, group]) => [
    path.replace("{log}", "2").replaceAll(/\{\w+\}/g, "xyz"),
    group.map(({ method }) => method.toUpperCase()),
  ]);
}

describe("methods and paths", () => {
  it.each(paths())(
    "%s takes %s and answers 405 with Allow to every other method, HEAD included",
    async (path, taken) => {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]) {
        if (taken.includes(method)) continue;
        const answer = await call(method, path, { key: null });
        expect(answer.status, method).toBe(405);
        expect(answer.headers.get("allow")?.split(", ").sort()).toEqual(taken.toSorted());
        if (method === "HEAD") expect(answer.text).toBe("");
        else problemOf(answer, "method_not_allowed");
      }
    },
  );

  it.each([
    ["GET", "/"],
    ["GET", "/v1"],
    ["POST", "/v1/orgs"],
    ["GET", "/v1/orgs/"],
    ["GET", "/v1/orgs/acme/"],
    ["DELETE", "/v1/orgs/acme/events/1/2"],
    ["GET", "/v2/orgs/acme/events"],
    ["GET", "/V1/orgs/acme/events"],
    ["GET", "/v1/orgs/%zz/nothing"],
    ["GET", "/%00"],
  ])("%s %s is a 404 in JSON", async (method, path) => {
    problemOf(await call(method, path), "not_found");
  });

  it("answers HEAD of a path that does not exist with 404", async () => {
    expect((await call("HEAD", "/nowhere")).status).toBe(404);
  });
});

describe("X-Request-Id", () => {
  it.each(["a", "Trace-1.2_3", "x".repeat(64)])("takes %s, in the header and in the problem", async (id) => {
    const answer = await call("GET", "/nowhere", { headers: { "x-request-id": id } });
    expect(answer.headers.get("x-request-id")).toBe(id);
    expect(problemOf(answer, "not_found").request_id).toBe(id);
  });

  it.each(["", "has space", "x".repeat(65), "sneaky/../id", "ä"])("makes one of its own instead of %s", async (id) => {
    const { headers } = await call("GET", "/healthz", { headers: { "x-request-id": id } });
    expect(headers.get("x-request-id")).toMatch(/^req_[a-z2-7]{20}$/);
  });

  it("never makes the same twice", async () => {
    const ids = await Promise.all([1, 2, 3, 4].map(async () => (await call("GET", "/")).headers.get("x-request-id")));
    expect(new Set(ids).size).toBe(4);
  });
});

describe("small JSON bodies", () => {
  const put = (body: string | Record<string, unknown>, headers = {}) =>
    call("PUT", `/v1/orgs/${org}`, { body, headers });

  it("names every bad member by pointer, unknown ones included", async () => {
    const refused = await put({ name: "", access_log: "never", "odd/one~": 1 });
    expect(Object.keys(memberErrors(refused, "invalid_request")).sort()).toEqual([
      "/access_log",
      "/name",
      "/odd~1one~0",
    ]);
  });

  it("names members of lists by their place", async () => {
    const body = { name: "key", scopes: ["events:read", "everything"] };
    const refused = await call("POST", `/v1/orgs/${org}/keys`, { body });
    expect(Object.keys(memberErrors(refused, "invalid_request"))).toEqual(["/scopes/1"]);
  });

  it.each(["", "{", "nonsense", "[1,]", "\u{feff}"])("refuses %j, which is not JSON", async (body) => {
    expect(problemOf(await put(body), "invalid_request").detail).toMatch(/not JSON/);
  });

  it.each(["null", "[]", "1", '"x"'])("refuses %s, which is no object", async (body) => {
    expect(Object.keys(memberErrors(await put(body), "invalid_request"))).toEqual([""]);
  });

  it("refuses __proto__ as a member, and nothing inherits from it", async () => {
    const refused = await put('{"__proto__":{"name":"sneaky"}}');
    expect(Object.keys(memberErrors(refused, "invalid_request"))).toEqual(["/__proto__"]);
  });

  it("refuses other content types, encodings and sizes, with the limit in the message", async () => {
    problemOf(await put("{}", { "content-type": "text/plain" }), "unsupported_media_type");
    problemOf(await put("{}", { "content-encoding": "gzip" }), "unsupported_media_type");
    const large = await put({ name: "x".repeat(70_000) });
    expect(problemOf(large, "too_large").detail).toContain("65536");
  });

  it("takes a content type with parameters, in any case", async () => {
    expect((await put("{}", { "content-type": "Application/JSON; charset=utf-8" })).status).toBe(200);
  });
});

describe("settings of an org", () => {
  it("keeps what a call does not send, and writes an entry only for what changes", async () => {
    const path = `/v1/orgs/${org}`;
    const before = await call("GET", path);
    const changed = await call("PUT", path, { body: { access_log: "queued" } });
    expect(changed.json).toMatchObject({ name: before.json.name, access_log: "queued", size: before.json.size + 1 });
    const same = await call("PUT", path, { body: { access_log: "queued" } });
    expect(same.json.size).toBe(changed.json.size);
    expect((await call("PUT", path, { body: { access_log: "sealed" } })).json.access_log).toBe("sealed");
  });

  it("refuses a name no org can have like one that does not exist, and never makes it", async () => {
    for (const name of ["ab", "-abc", "a b c", "ümlaut", "a".repeat(65), "acme.corp"]) {
      problemOf(await call("PUT", `/v1/orgs/${encodeURIComponent(name)}`, { body: {} }), "not_found");
    }
  });
});
