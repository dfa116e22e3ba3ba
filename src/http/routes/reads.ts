import { Hono } from "hono";
import type * as z from "zod";
import { ok, refuse, type Result } from "../../errors.ts";
import { ensurePlatform } from "../../policy/put-org.ts";
import { closeReads, getReads, openReads } from "../../policy/reads.ts";
import { forgetDeploymentReads } from "../../query/deployment-reads.ts";
import type { Caller } from "../../schema/caller.ts";
import { putReadsSchema, readsSchema, type ReadsView } from "../../schema/reads.ts";
import { jsonBody } from "../body.ts";
import { type App, callerOf, type Ctx, json, problem } from "../context.ts";
import type { Operation } from "../operation.ts";
import { targetOf } from "./orgs.ts";

export const reads = new Hono<App>()
  .get("/v1/orgs/:org/reads", async (c) => answerReads(c, await targetOf(c, "reads:write")))
  .put("/v1/orgs/:org/reads", async (c) => putReads(c, await targetOf(c, "reads:write")))
  .get("/v1/reads", async (c) => answerReads(c, await everyOrg(c)))
  .put("/v1/reads", async (c) => putReads(c, await everyOrg(c)));

type Target = Result<{ org: string | null; caller: Caller }>;

async function answerReads(c: Ctx, target: Target): Promise<Response> {
  if (!target.ok) return problem(c, target.refusal);
  const stands = await getReads(c.get("config"), target.value);
  return stands.ok ? json(c, stands.value satisfies z.infer<typeof readsSchema>) : problem(c, stands.refusal);
}

async function putReads(c: Ctx, target: Target): Promise<Response> {
  if (!target.ok) return problem(c, target.refusal);
  const config = c.get("config");
  // Who may not turn the switch is told so, whatever it sent.
  const allowed = await getReads(config, target.value);
  if (!allowed.ok) return problem(c, allowed.refusal);
  const body = await jsonBody(c, putReadsSchema);
  if (!body.ok) return problem(c, body.refusal);
  const asked = body.value;
  const turned = asked.enabled
    ? await openReads(config, target.value, asked)
    : await closeReads(config, target.value, asked);
  if (target.value.org === null) forgetDeploymentReads(config);
  if (!turned.ok) return problem(c, turned.refusal);
  return json(c, turned.value satisfies ReadsView, asked.enabled && !turned.value.enabled ? 202 : 200);
}

/** Who may turn the deployment's switch. Org `platform`, which keeps it, is there from then on. */
async function everyOrg(c: Ctx): Promise<Target> {
  const caller = await callerOf(c, "reads:write");
  if (!caller.ok) return caller;
  const { value } = caller;
  if (value.kind !== "trusted" || !value.scopes.includes("reads:write") || typeof value.orgs !== "string") {
    return refuse("forbidden", "This needs the scope reads:write on every org: the root key, or a platform key.");
  }
  await ensurePlatform(c.get("config"), { url: c.req.url, now: c.get("now") });
  return ok({ org: null, caller: value });
}

const READS = { "application/json": readsSchema };
const errors = ["unauthorized", "forbidden", "overloaded"] as const;
const putErrors = [
  ...errors,
  "invalid_request",
  "conflict",
  "too_large",
  "unsupported_media_type",
  "unprocessable",
] as const;
const get = {
  method: "get",
  tag: "Operate",
  scope: "reads:write",
  answers: { 200: { description: "How it stands.", body: READS } },
} as const;
const put = {
  method: "put",
  description:
    "`enabled: false`: every answer that carries entries, counts or statistics is 503 `reads_disabled`; writing, the tree, verification and repair go on. `enabled: true` needs a finished verification of the whole window since; with breaks it needs `accept_breaks`, and a second key that sends the same within 24 h.",
  tag: "Operate",
  scope: "reads:write",
  body: { "application/json": putReadsSchema },
  answers: {
    200: { description: "Turned, or as it was already.", body: READS },
    202: { description: "Still closed: a second key has to send the same.", body: READS },
  },
} as const;

export const operations: Operation[] = [
  {
    ...get,
    path: "/v1/orgs/{org}/reads",
    id: "getReads",
    summary: "Whether an org may be read",
    errors: [...errors, "not_found"],
  },
  {
    ...put,
    path: "/v1/orgs/{org}/reads",
    id: "putReads",
    summary: "Stop or open reading of an org",
    errors: [...putErrors, "not_found"],
  },
  { ...get, path: "/v1/reads", id: "getDeploymentReads", summary: "Whether anything here may be read", errors },
  {
    ...put,
    path: "/v1/reads",
    id: "putDeploymentReads",
    summary: "Stop or open reading of every org",
    description: `${put.description} The window is of org \`platform\`'s logs; orgs in doubt are closed by their own switch. Holds within 5 s everywhere.`,
    errors: putErrors,
  },
];
