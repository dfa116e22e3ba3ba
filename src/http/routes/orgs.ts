import { Hono } from "hono";
import type * as z from "zod";
import { continueOrg, getOrg, getStatus, type OrgStatus, rebuildOrg } from "../../policy/org.ts";
import { mayPutOrg, putOrg } from "../../policy/put-org.ts";
import { orgSchemaAnswer, statusSchema } from "../../schema/answers.ts";
import type { Caller, Scope } from "../../schema/caller.ts";
import { continueSchema, putOrgSchema } from "../../schema/org.ts";
import { jsonBody } from "../body.ts";
import { type App, callerOf, type Ctx, orgOf, json, problem } from "../context.ts";
import type { Operation } from "../operation.ts";
import { ok, type Result } from "../../errors.ts";

export const orgs = new Hono<App>()
  .put("/v1/orgs/:org", async (c) => {
    const target = await targetOf(c, "orgs:write");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const put = await jsonBody(c, putOrgSchema);
    if (!put.ok) {
      const allowed = await mayPutOrg(c.get("config"), org, caller);
      return problem(c, allowed.ok ? put.refusal : allowed.refusal);
    }
    const host = new URL(c.req.url).host;
    const done = await putOrg(c.get("config"), org, { caller, put: put.value, host, now: c.get("now") });
    if (!done.ok) return problem(c, done.refusal);
    const { created, grant, settings } = done.value;
    return json(c, orgAnswer(org, { ...grant, ...settings }), created ? 201 : 200);
  })
  .get("/v1/orgs/:org", async (c) => {
    const target = await targetOf(c, "events:read");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const found = await getOrg(c.get("config"), org, caller);
    if (!found.ok) return problem(c, found.refusal);
    c.set("limits", found.value.limits);
    return json(c, orgAnswer(org, found.value));
  })
  .get("/v1/orgs/:org/status", async (c) => {
    const target = await targetOf(c, "operate");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const status = await getStatus(c.get("config"), org, caller);
    return status.ok ? json(c, statusAnswer(org, status.value)) : problem(c, status.refusal);
  })
  .post("/v1/orgs/:org/rebuild", async (c) => {
    const target = await targetOf(c, "operate");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const rebuilt = await rebuildOrg(c.get("config"), org, caller);
    return rebuilt.ok ? json(c, statusAnswer(org, rebuilt.value), 202) : problem(c, rebuilt.refusal);
  })
  .post("/v1/orgs/:org/continue", async (c) => {
    const target = await targetOf(c, "operate");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const body = await jsonBody(c, continueSchema);
    if (!body.ok) {
      const allowed = await getStatus(c.get("config"), org, caller);
      return problem(c, allowed.ok ? body.refusal : allowed.refusal);
    }
    const continued = await continueOrg(c.get("config"), org, { caller, reason: body.value.reason });
    return continued.ok ? json(c, statusAnswer(org, continued.value), 201) : problem(c, continued.refusal);
  });

/** Caller and org of a request, before anything else of it is looked at. */
export async function targetOf(c: Ctx, scope: Scope): Promise<Result<{ org: string; caller: Caller }>> {
  const caller = await callerOf(c, scope);
  if (!caller.ok) return caller;
  const org = orgOf(c);
  return org.ok ? ok({ org: org.value, caller: caller.value }) : org;
}

type OrgAnswer = z.infer<typeof orgSchemaAnswer>;
type OrgView = Omit<OrgAnswer, "org" | "last_checkpoint"> & { checkpoint: OrgAnswer["last_checkpoint"] };

function orgAnswer(
  org: string,
  { name, jurisdiction, access_log, public_log, cors_origins, require_reason, large_export_rows, ...view }: OrgView,
): OrgAnswer {
  const { log, size, created_at, checkpoint } = view;
  const settings = { name, jurisdiction, access_log, public_log, cors_origins, require_reason, large_export_rows };
  return { org, ...settings, log, size, created_at, last_checkpoint: checkpoint };
}

function statusAnswer(org: string, status: OrgStatus): z.infer<typeof statusSchema> {
  const { log, size, backlog, placements, archived, published } = status;
  const projected = status.projected ?? 0;
  return {
    org,
    log,
    ingestion: {
      state: status.ingestion,
      size,
      backlog_entries: backlog.entries,
      backlog_bytes: backlog.bytes,
      refusal: status.refusal,
    },
    projection: {
      state: status.rebuilding ? "rebuilding" : status.projection,
      size: projected,
      lag_entries: size - projected,
      cold_before: status.cold_before,
    },
    archive: {
      size: archived,
      lag_entries: size - archived,
      lag_seconds: secondsSince(status.oldest_unarchived_at),
    },
    publishing: {
      state: status.publishing,
      size: published,
      lag_entries: size - published,
      lag_seconds: secondsSince(status.oldest_unpublished_at),
      conflict: status.conflict,
      witnesses: status.witnesses.map(({ name, size: cosigned, at }) => {
        return { name, size: cosigned, at: at === null ? null : new Date(at).toISOString() };
      }),
    },
    placements,
    earlier: status.earlier,
    reads: readsAnswer(status),
  };
}

function readsAnswer({ reads, deployment }: OrgStatus): z.infer<typeof statusSchema>["reads"] {
  const closed = [reads, deployment ?? null].filter((one) => one !== null);
  return { state: closed.length > 0 ? "disabled" : deployment === undefined ? "unknown" : "enabled", closed };
}

function secondsSince(at: number | null): number {
  return at === null ? 0 : Math.max(0, (Date.now() - at) / 1000);
}

const ORG_ANSWER = { "application/json": orgSchemaAnswer };
const STATUS_ANSWER = { "application/json": statusSchema };

export const operations: Operation[] = [
  {
    method: "put",
    path: "/v1/orgs/{org}",
    id: "putOrg",
    summary: "Create an org, or change its settings",
    tag: "Orgs",
    scope: "orgs:write",
    body: { "application/json": putOrgSchema },
    answers: { 200: { description: "Changed.", body: ORG_ANSWER }, 201: { description: "Created.", body: ORG_ANSWER } },
    errors: [
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "unsupported_media_type",
      "unprocessable",
      "overloaded",
    ],
  },
  {
    method: "get",
    path: "/v1/orgs/{org}",
    id: "getOrg",
    summary: "Settings and size of an org",
    tag: "Orgs",
    scope: "events:read",
    answers: { 200: { description: "The org.", body: ORG_ANSWER } },
    errors: ["unauthorized", "forbidden", "not_found", "rate_limited", "overloaded"],
  },
  {
    method: "get",
    path: "/v1/orgs/{org}/status",
    id: "getStatus",
    summary: "How an org's ledger, projection and archive stand",
    tag: "Operate",
    scope: "operate",
    answers: { 200: { description: "The status.", body: STATUS_ANSWER } },
    errors: ["unauthorized", "forbidden", "not_found", "overloaded"],
  },
  {
    method: "post",
    path: "/v1/orgs/{org}/rebuild",
    id: "rebuild",
    summary: "Make an org's rows in D1 anew from the archive and the ledger",
    description:
      "Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: the rows come out the same, and each call is an entry of its own.",
    tag: "Operate",
    scope: "operate",
    answers: { 202: { description: "Emptied; projection is under way.", body: STATUS_ANSWER } },
    errors: ["unauthorized", "forbidden", "not_found", "overloaded"],
  },
  {
    method: "post",
    path: "/v1/orgs/{org}/continue",
    id: "continueLog",
    summary: "Begin a new log where the org's log was set back and cannot be rolled forward",
    description:
      "The old log stays readable and nothing is added to it. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: a log that takes entries is 409, and no third one begins.",
    tag: "Operate",
    scope: "operate",
    body: { "application/json": continueSchema },
    answers: { 201: { description: "The new log.", body: STATUS_ANSWER } },
    errors: [
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "conflict",
      "too_large",
      "unsupported_media_type",
      "unprocessable",
      "overloaded",
    ],
  },
];
