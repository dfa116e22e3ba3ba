import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, createOrg, event } from "../support/client.ts";
import { breakSequencing, restoreFaults } from "../support/faults.ts";
import { orgKey } from "../http/support.ts";

const lines: unknown[] = [];
beforeEach(() => {
  lines.length = 0;
  for (const method of ["log", "warn", "error", "info", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((said: string) => void lines.push(JSON.parse(said)));
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  restoreFaults();
});

/** The lines of one request, by the id it was sent with. */
async function linesOf(id: string): Promise<any[]> {
  const found = () => lines.filter((line: any) => line?.request_id === id && line.message === "request");
  await expect.poll(() => found().length).toBeGreaterThan(0);
  return found();
}

let org = "";
beforeEach(async () => {
  org = await createOrg("logs");
});

describe("the log", () => {
  it("has one structured line a request: which route, whose org, which key, what came of it", async () => {
    const { key, id } = await orgKey(org, ["events:append"]);
    const headers = { "x-request-id": "log-1" };
    await call("POST", `/v1/orgs/${org}/events`, { body: event(1), key, headers });
    expect(await linesOf("log-1")).toEqual([
      {
        message: "request",
        request_id: "log-1",
        method: "POST",
        route: "/v1/orgs/{org}/events",
        org,
        key: id,
        status: 201,
        code: null,
        ms: expect.any(Number),
      },
    ]);
  });

  it("names the code of a refusal, and a path that is none as (none)", async () => {
    await call("GET", `/v1/orgs/${org}/events`, { key: null, headers: { "x-request-id": "log-2" } });
    expect(await linesOf("log-2")).toMatchObject([{ status: 401, code: "unauthorized", key: null }]);
    await call("GET", "/not/a/path", { headers: { "x-request-id": "log-3" } });
    expect(await linesOf("log-3")).toMatchObject([{ status: 404, code: "not_found", route: "(none)", org: null }]);
    await call("HEAD", "/healthz", { headers: { "x-request-id": "log-4" } });
    expect(await linesOf("log-4")).toMatchObject([{ method: "HEAD", status: 405, code: "method_not_allowed" }]);
  });

  it("tells the cause of an internal error under the request's id, and the client only a fixed sentence", async () => {
    const fault = await breakSequencing(org, "failed");
    const headers = { "x-request-id": "log-5" };
    const answer = await call("POST", `/v1/orgs/${org}/events`, { body: event(1), headers });
    fault.restore();
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("injected");
    const [cause] = lines.filter((line: any) => line?.request_id === "log-5" && line.message === "request failed");
    expect(JSON.stringify(cause)).toContain("injected by the test");
  });

  it("holds nothing of what events say, nor any key, whatever comes of them", async () => {
    const secret = "VerySecretWord";
    const whole = {
      id: `${secret}-id`,
      action: `${secret}.done`,
      actor: { type: secret, id: secret, name: secret, email: secret, metadata: { [secret]: secret } },
      targets: [{ type: secret, id: secret, name: secret }],
      context: { ip: secret, user_agent: secret },
      changes: { before: secret, after: secret, fields: [secret] },
      reason: secret,
      metadata: { [secret]: secret },
    };
    const { key } = await orgKey(org, ["events:append", "events:read"]);
    const path = `/v1/orgs/${org}/events`;
    const sent = { key, headers: { "idempotency-key": secret } };
    await call("POST", path, { body: whole, ...sent });
    await call("POST", path, { body: { ...whole, reason: "other" }, ...sent });
    await call("POST", path, { body: { ...whole, [secret]: secret }, key });
    await call("POST", path, { body: `{"${secret}": ${secret}`, key });
    await call("POST", path, { body: whole, key, headers: { prefer: "respond-async" } });
    await call("GET", `${path}?actor=${secret}&q=${secret}`, { key });
    await call("GET", `${path}/${secret}-id`, { key, headers: { "audit-reason": secret } });
    const fault = await breakSequencing(org, "failed");
    await call("POST", path, { body: { ...whole, id: "another" }, key, headers: { "x-request-id": "log-last" } });
    fault.restore();
    await linesOf("log-last");
    const said = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
    expect(said).not.toContain(secret);
    expect(said).not.toContain(key);
    expect(said.length).toBeGreaterThan(500);
  });
});
