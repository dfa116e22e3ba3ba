import { Hono } from "hono";
import type * as z from "zod";
import {
  createOrgKey,
  createPlatformKey,
  listOrgKeys,
  listPlatformKeys,
  revokeOrgKey,
  revokePlatformKey,
} from "../../policy/keys.ts";
import { permit } from "../../policy/org.ts";
import { ensurePlatform } from "../../policy/put-org.ts";
import {
  issuedKeySchema,
  issuedPlatformKeySchema,
  keySchema,
  keysSchema,
  platformKeySchema,
  platformKeysSchema,
} from "../../schema/answers.ts";
import { newKeySchema, newPlatformKeySchema } from "../../schema/org.ts";
import { jsonBody } from "../body.ts";
import { type App, callerOf, type Ctx, idempotencyKeyOf, json, problem } from "../context.ts";
import type { Operation } from "../operation.ts";
import { targetOf } from "./orgs.ts";

const PATH = "/v1/orgs/:org/keys";

export const keys = new Hono<App>()
  .post(PATH, async (c) => {
    const target = await targetOf(c, "keys:write");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const allowed = await permit(c.get("config"), { org, caller, scope: "keys:write" });
    if (!allowed.ok) return problem(c, allowed.refusal);
    const wanted = await jsonBody(c, newKeySchema);
    if (!wanted.ok) return problem(c, wanted.refusal);
    const idempotencyKey = idempotencyKeyOf(c);
    if (!idempotencyKey.ok) return problem(c, idempotencyKey.refusal);
    const issued = await createOrgKey(c.get("config"), org, {
      caller,
      ...wanted.value,
      idempotencyKey: idempotencyKey.value,
      now: c.get("now"),
    });
    return issued.ok
      ? json(c, issued.value satisfies z.infer<typeof issuedKeySchema>, 201)
      : problem(c, issued.refusal);
  })
  .get(PATH, async (c) => {
    const target = await targetOf(c, "keys:write");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const listed = await listOrgKeys(c.get("config"), org, caller);
    if (!listed.ok) return problem(c, listed.refusal);
    return json(c, { data: listed.value, next_cursor: null } satisfies z.infer<typeof keysSchema>);
  })
  .delete(`${PATH}/:id`, async (c) => {
    const target = await targetOf(c, "keys:write");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const id = c.req.param("id");
    const revoked = await revokeOrgKey(c.get("config"), org, { caller, id });
    return revoked.ok ? json(c, revoked.value satisfies z.infer<typeof keySchema>) : problem(c, revoked.refusal);
  })
  .post("/v1/keys", async (c) => {
    const caller = await callerOf(c, "keys:write");
    if (!caller.ok) return problem(c, caller.refusal);
    const wanted = await jsonBody(c, newPlatformKeySchema);
    if (!wanted.ok) return problem(c, wanted.refusal);
    const idempotencyKey = idempotencyKeyOf(c);
    if (!idempotencyKey.ok) return problem(c, idempotencyKey.refusal);
    await platform(c);
    const issued = await createPlatformKey(c.get("config"), {
      caller: caller.value,
      ...wanted.value,
      orgs: wanted.value.orgs ?? null,
      idempotencyKey: idempotencyKey.value,
      now: c.get("now"),
    });
    if (!issued.ok) return problem(c, issued.refusal);
    return json(c, issued.value satisfies z.infer<typeof issuedPlatformKeySchema>, 201);
  })
  .get("/v1/keys", async (c) => {
    const caller = await callerOf(c, "keys:write");
    if (!caller.ok) return problem(c, caller.refusal);
    const listed = await listPlatformKeys(c.get("config"), caller.value);
    if (!listed.ok) return problem(c, listed.refusal);
    return json(c, { data: listed.value, next_cursor: null } satisfies z.infer<typeof platformKeysSchema>);
  })
  .delete("/v1/keys/:id", async (c) => {
    const caller = await callerOf(c, "keys:write");
    if (!caller.ok) return problem(c, caller.refusal);
    await platform(c);
    const id = c.req.param("id");
    const revoked = await revokePlatformKey(c.get("config"), { caller: caller.value, id, now: c.get("now") });
    if (!revoked.ok) return problem(c, revoked.refusal);
    return json(c, revoked.value satisfies z.infer<typeof platformKeySchema>);
  });

/** Acts on platform keys are sealed in org `platform`, which the first request of all may still have to create. */
function platform(c: Ctx): Promise<void> {
  return ensurePlatform(c.get("config"), { url: c.req.url, now: c.get("now") });
}

const IDEMPOTENCY = { "Idempotency-Key": "Sent again within 24 hours, the same key is answered." };
const ISSUED = "The key, shown this once.";
const LISTED = "The keys.";
const REVOKED = "Revoked.";
const MAKING = [
  "invalid_request",
  "unauthorized",
  "forbidden",
  "conflict",
  "unsupported_media_type",
  "unprocessable",
  "overloaded",
] as const;

export const operations: Operation[] = (
  [
    {
      method: "post",
      path: "/v1/orgs/{org}/keys",
      id: "createKey",
      summary: "Make a key of an org",
      headers: IDEMPOTENCY,
      body: { "application/json": newKeySchema },
      answers: { 201: { description: ISSUED, body: { "application/json": issuedKeySchema } } },
      errors: [...MAKING, "not_found"],
    },
    {
      method: "get",
      path: "/v1/orgs/{org}/keys",
      id: "listKeys",
      summary: "List an org's keys",
      answers: { 200: { description: LISTED, body: { "application/json": keysSchema } } },
      errors: ["unauthorized", "forbidden", "not_found", "overloaded"],
    },
    {
      method: "delete",
      path: "/v1/orgs/{org}/keys/{id}",
      id: "revokeKey",
      summary: "Revoke a key: it holds at the next call",
      answers: { 200: { description: REVOKED, body: { "application/json": keySchema } } },
      errors: ["unauthorized", "forbidden", "not_found", "overloaded"],
    },
    {
      method: "post",
      path: "/v1/keys",
      id: "createPlatformKey",
      summary: "Make a key of the platform (root key only)",
      headers: IDEMPOTENCY,
      body: { "application/json": newPlatformKeySchema },
      answers: { 201: { description: ISSUED, body: { "application/json": issuedPlatformKeySchema } } },
      errors: MAKING,
    },
    {
      method: "get",
      path: "/v1/keys",
      id: "listPlatformKeys",
      summary: "List the platform's keys (root key only)",
      answers: { 200: { description: LISTED, body: { "application/json": platformKeysSchema } } },
      errors: ["unauthorized", "forbidden"],
    },
    {
      method: "delete",
      path: "/v1/keys/{id}",
      id: "revokePlatformKey",
      summary: "Revoke a platform key: within a minute everywhere",
      answers: { 200: { description: REVOKED, body: { "application/json": platformKeySchema } } },
      errors: ["unauthorized", "forbidden", "not_found", "unprocessable", "overloaded"],
    },
  ] as const
).map((operation) => ({ ...operation, tag: "Keys", scope: "keys:write" }));
