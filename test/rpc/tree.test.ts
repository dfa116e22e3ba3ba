import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, createOrg } from "../support/client.ts";

describe("AuditLog.prove and AuditLog.checkpoint", () => {
  it("answer the texts the HTTP API answers, and null where there is nothing", async () => {
    const mine = await createOrg("bound-proof");
    const log = exports.AuditLog({ props: { name: "shop-api", orgs: "*", scopes: ["events:read"] } });
    expect(await log.checkpoint(mine)).toEqual({ ok: true, value: null });
    const proof = await log.prove(mine, 0);
    expect(proof).toMatchObject({ ok: true, value: expect.stringMatching(/^c2sp\.org\/tlog-proof@v1\nextra /) });
    const { text } = await call("GET", `/v1/orgs/${mine}/checkpoint`);
    expect(await log.checkpoint(mine)).toEqual({ ok: true, value: text });
    expect(await log.prove(mine, "nothing")).toEqual({ ok: true, value: null });
  });
});
