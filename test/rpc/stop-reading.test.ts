import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { BindingProps } from "../../src/schema/binding.ts";
import { close, orgOf, reads, WHY } from "../policy/reads-support.ts";
import { call } from "../support/client.ts";

type Answer = { ok: boolean; value?: any };

const bound = (props: Partial<BindingProps> = {}) =>
  exports.AuditLog({ props: { name: "desk", orgs: "*", scopes: ["events:read", "reads:write"], ...props } });

describe("AuditLog.reads", () => {
  it("answers what the HTTP API answers, open and closed, of its own org alone", async () => {
    const [org, other] = [await orgOf(1), await orgOf(1)];
    expect(await bound().reads(org)).toEqual({ ok: true, value: { enabled: true } });
    await close(org);
    const stands: Answer = await bound().reads(org);
    expect(stands.value).toMatchObject({ enabled: false, reason: WHY });
    expect(stands.value).toEqual((await reads(org)).json);
    expect(await bound().reads(other)).toEqual({ ok: true, value: { enabled: true } });
  });
});

describe("AuditLog.quarantines", () => {
  it("answers what the HTTP API answers, of its own org alone, while reads are closed as well", async () => {
    const [org, other] = [await orgOf(1), await orgOf(1)];
    const body = { from: 1, to: 2, reason: WHY };
    expect((await call("POST", `/v1/orgs/${org}/quarantines`, { body })).status).toBe(201);
    await close(org);
    const listed: Answer = await bound().quarantines(org);
    expect(listed.value).toMatchObject([{ ...body, by: "root", released: null }]);
    expect(listed.value).toEqual((await call("GET", `/v1/orgs/${org}/quarantines`)).json.data);
    expect(await bound().quarantines(other)).toEqual({ ok: true, value: [] });
  });
});
