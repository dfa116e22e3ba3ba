import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Scope } from "../../src/schema/caller.ts";
import { actsOf, sizeOf } from "../query/support.ts";
import { call, createOrg } from "../support/client.ts";

let org = "";
let other = "";
beforeAll(async () => {
  org = await createOrg("bound-viewer");
  other = await createOrg("bound-viewer-not");
});

const bound = (scopes: Scope[] = ["events:read"]) =>
  exports.AuditLog({ props: { name: "shop-api", orgs: "*", scopes } });

const VIEWER = { actor: { type: "user", id: "u_9" }, scopes: ["events:read"] };

type Answer = { ok: boolean; value?: any; refusal?: { code: string; errors?: { pointer: string }[] } };
const codeOf = ({ refusal }: Answer) => refusal?.code ?? "ok";

describe("AuditLog.viewerToken", () => {
  it("gives a page what its reader may see: traced as that person, in the binding's name", async () => {
    const made: Answer = await bound().viewerToken(org, VIEWER);
    const from = await sizeOf(org);
    expect((await call("GET", `/v1/orgs/${org}/events/0`, { key: made.value.token })).status).toBe(200);
    const [trace] = await actsOf(org, "indelible.read", from);
    expect(trace).toMatchObject({ event: { key: "shop-api" }, actor: { type: "user", id: "u_9" } });
    expect((await call("GET", `/v1/orgs/${other}/events/0`, { key: made.value.token })).status).toBe(404);
  });

  it("gives no scope the binding lacks, and none for longer than 15 minutes: nothing else would end it", async () => {
    const log = bound();
    const scopes = ["events:read", "personal:read"];
    expect(codeOf(await log.viewerToken(org, { ...VIEWER, scopes }))).toBe("forbidden");
    expect(codeOf(await log.viewerToken(org, { ...VIEWER, expires_in_s: 900 }))).toBe("ok");
    const long: Answer = await log.viewerToken(org, { ...VIEWER, expires_in_s: 901 });
    expect(long.refusal?.errors).toEqual([{ pointer: "/expires_in_s", message: expect.stringContaining("900") }]);
  });

  it.each([null, undefined, 7, "x", {}, { ...VIEWER, actor: null }, { ...VIEWER, admin: true }])(
    "refuses %j as a value, by name",
    async (wanted) => {
      const answer: Answer = await bound().viewerToken(org, wanted);
      expect([codeOf(answer), (answer.refusal?.errors ?? []).length > 0]).toEqual(["invalid_request", true]);
    },
  );
});
