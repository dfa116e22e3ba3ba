import { Hono } from "hono";
import * as z from "zod";
import { refuse } from "../../errors.ts";
import { getRun, listRuns, startRun } from "../../keep/retention-runs.ts";
import { getRetention, putRetention } from "../../policy/retention.ts";
import { putRetentionSchema, retentionSchema } from "../../schema/policy.ts";
import { newRunSchema, runSchema, runsSchema } from "../../schema/retention.ts";
import { type App, json, problem, readerOf, tracedHeaders } from "../context.ts";
import type { Operation } from "../operation.ts";
import { bodyFor } from "./body-for.ts";
import { targetOf } from "./orgs.ts";

const PATH = "/v1/orgs/:org/retention";

export const retention = new Hono<App>()
  .get(PATH, async (c) => {
    const target = await targetOf(c, "policy:write");
    if (!target.ok) return problem(c, target.refusal);
    const policy = await getRetention(c.get("config"), target.value.org, target.value.caller);
    if (!policy.ok) return problem(c, policy.refusal);
    return json(c, policy.value satisfies z.infer<typeof retentionSchema>);
  })
  .put(PATH, async (c) => {
    const asked = await bodyFor(c, "policy:write", putRetentionSchema);
    if (!asked.ok) return problem(c, asked.refusal);
    const { org, caller, body } = asked.value;
    const changed = await putRetention(c.get("config"), org, { caller, policy: body });
    return changed.ok ? json(c, changed.value) : problem(c, changed.refusal);
  })
  .post(`${PATH}/runs`, async (c) => {
    const asked = await bodyFor(c, "policy:write", newRunSchema);
    if (!asked.ok) return problem(c, asked.refusal);
    const { org, caller, body } = asked.value;
    const begun = await startRun(c.get("config"), org, { caller, wanted: body });
    return begun.ok ? json(c, begun.value, 202) : problem(c, begun.refusal);
  })
  .get(`${PATH}/runs`, async (c) => {
    const target = await targetOf(c, "policy:write");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const query = runsQuery.safeParse(Object.fromEntries(new URL(c.req.url).searchParams));
    if (!query.success) return problem(c, refuse("invalid_request", "This list takes cursor only.").refusal);
    const listed = await listRuns(c.get("config"), org, { caller, after: query.data.cursor ?? null });
    return listed.ok ? json(c, listed.value) : problem(c, listed.refusal);
  })
  .get(`${PATH}/runs/:id`, async (c) => {
    const reader = await readerOf(c, "policy:write");
    if (!reader.ok) return problem(c, reader.refusal);
    const run = await getRun(c.get("config"), reader.value, c.req.param("id"));
    if (!run.ok) return problem(c, run.refusal);
    const { answer, read_index } = run.value;
    return json(c, answer, 200, answer.dry_run ? tracedHeaders(c, read_index) : {});
  });

const runsQuery = z.strictObject({
  cursor: z.string().min(1).max(100).optional().meta({ description: "`next_cursor` of the page before." }),
});

const common = { tag: "Keep", scope: "policy:write" } as const;
const errors = ["unauthorized", "forbidden", "not_found", "overloaded"] as const;
const RUN = { "application/json": runSchema };
const RETENTION = { "application/json": retentionSchema };

export const operations: Operation[] = [
  {
    ...common,
    method: "get",
    path: "/v1/orgs/{org}/retention",
    id: "getRetention",
    summary: "How long entries to come are kept",
    answers: { 200: { description: "Days of every category, and the rules.", body: RETENTION } },
    errors,
  },
  {
    ...common,
    method: "put",
    path: "/v1/orgs/{org}/retention",
    id: "putRetention",
    summary: "Change how long entries to come are kept",
    description:
      "The whole policy: what is not named is as it is without a policy. It is sealed with every change. Entries that are sealed already are kept until the day in their leaf, which nobody can change.",
    body: { "application/json": putRetentionSchema },
    answers: { 200: { description: "It holds for what is appended from now on.", body: RETENTION } },
    errors: [...errors, "invalid_request", "too_large", "unsupported_media_type"],
  },
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/retention/runs",
    id: "startRetentionRun",
    summary: "Let go of what has expired, or say what would go",
    description:
      "Every section goes of each entry whose day in the leaf is over, unless a hold keeps it; the leaf stays. Each org has such a run every day anyway. `as_of` may be earlier than today. A dry run, which reads what would go, takes `events:read` as well. For a day to come only a dry run is taken: anything else is refused (`unprocessable`), and the attempt is sealed. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: nothing goes twice.",
    body: { "application/json": newRunSchema },
    answers: { 202: { description: "The run, which goes on by itself.", body: RUN } },
    errors: [...errors, "invalid_request", "too_large", "unsupported_media_type", "unprocessable", "rate_limited"],
  },
  {
    ...common,
    method: "get",
    path: "/v1/orgs/{org}/retention/runs",
    id: "listRetentionRuns",
    summary: "Runs of retention, the newest first",
    description: "What a dry run counted is not in the list: ask for that run.",
    query: runsQuery,
    answers: { 200: { description: "A page of runs.", body: { "application/json": runsSchema } } },
    errors: [...errors, "invalid_request"],
  },
  {
    ...common,
    method: "get",
    path: "/v1/orgs/{org}/retention/runs/{id}",
    id: "getRetentionRun",
    traced: "while_open",
    summary: "One run: how far it is, what went",
    description:
      "The answer to a dry run is read of the log: it takes `events:read` as well, is traced like statistics, with the header `Audit-Reason` where the org asks for one, and does not go on while reads are closed.",
    answers: { 200: { description: "The run.", body: RUN } },
    errors: [...errors, "invalid_request"],
  },
];
