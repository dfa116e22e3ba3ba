import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { call, createOrg } from "../support/client.ts";
import { memberErrors, viewerToken } from "../http/support.ts";
import { actsOf, sizeOf } from "./support.ts";

let org = "";
let token = "";
beforeAll(async () => {
  org = await createOrg("why");
  expect((await call("PUT", `/v1/orgs/${org}`, { body: { require_reason: true } })).json.require_reason).toBe(true);
  ({ token } = await viewerToken(org));
});

const ask = (path: string, reason?: string) =>
  call("GET", `/v1/orgs/${org}/${path}`, { headers: reason === undefined ? {} : { "audit-reason": reason } });

describe("an org that asks why it is read", () => {
  it.each(["events", "events/0", "events/0/proof", "verify"])(
    "refuses %s without a reason, and traces nothing",
    async (path) => {
      const before = await sizeOf(org);
      for (const reason of [undefined, "", "   ", "\t"]) {
        expect(Object.keys(memberErrors(await ask(path, reason), "invalid_request"))).toEqual(["/Audit-Reason"]);
      }
      expect(await sizeOf(org)).toBe(before);
      expect((await ask(path, "case 1")).status).toBe(200);
    },
  );

  it("asks viewers as well", async () => {
    const read = (headers: Record<string, string>) => call("GET", `/v1/orgs/${org}/events`, { key: token, headers });
    expect((await read({})).status).toBe(400);
    expect((await read({ "audit-reason": "my own history" })).status).toBe(200);
  });

  it("lets the tree be read without: it shows no sections", async () => {
    for (const path of ["checkpoint?min_size=1", "log-key", "tile/0/000.p/1", "proof/inclusion?index=0"]) {
      expect((await ask(path)).status, path).toBe(200);
    }
    expect((await call("GET", `/v1/orgs/${org}`)).status).toBe(200);
  });

  it("asks bindings for `reason`", async () => {
    const log = exports.AuditLog({ props: { name: "shop", orgs: [org], scopes: ["events:read"] } });
    const reads = (options?: { reason: string }) => [
      log.list(org, {}, options),
      log.get(org, 0, options),
      log.prove(org, 0, options),
      log.verify(org, {}, options),
    ];
    for (const read of reads()) expect(await read).toMatchObject({ ok: false, refusal: { code: "invalid_request" } });
    for (const read of reads({ reason: "case 2" })) expect(await read).toMatchObject({ ok: true });
  });
});

describe("a reason", () => {
  it("is kept with single spaces, and is part of the session: no later one is lost", async () => {
    const asked = await createOrg("reasons");
    const read = (reason: string) => call("GET", `/v1/orgs/${asked}/events`, { headers: { "audit-reason": reason } });
    for (const reason of ["case  417 ", "case 417", " case 417", "case 418", "   "])
      expect((await read(reason)).status).toBe(200);
    const traces = await actsOf(asked, "indelible.read");
    expect(traces.map(({ note }) => note?.reason)).toEqual(["case 417", "case 418", undefined]);
  });
});
