import { Hono } from "hono";
import * as z from "zod";
import { refuse } from "../../errors.ts";
import { cancelErasure, createErasure, getErasure, listErasures } from "../../keep/erasures.ts";
import { erasureSchema, erasuresSchema, newErasureSchema } from "../../schema/erasure.ts";
import { type App, type Ctx, json, problem } from "../context.ts";
import type { Operation } from "../operation.ts";
import { bodyFor } from "./body-for.ts";
import { targetOf } from "./orgs.ts";

const PATH = "/v1/orgs/:org/erasures";
const FRESH = { "cache-control": "no-store" };

export const erasures = new Hono<App>()
  .post(PATH, async (c) => {
    const asked = await bodyFor(c, "erasures:write", newErasureSchema);
    if (!asked.ok) return problem(c, asked.refusal);
    const { org, caller, body } = asked.value;
    const made = await createErasure(c.get("config"), org, { caller, asked: body });
    return made.ok ? json(c, made.value satisfies z.infer<typeof erasureSchema>, 202, FRESH) : problem(c, made.refusal);
  })
  .get(PATH, async (c) => {
    const target = await targetOf(c, "erasures:write");
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const query = listQuery.safeParse(Object.fromEntries(new URL(c.req.url).searchParams));
    if (!query.success) return problem(c, refuse("invalid_request", "This list takes cursor only.").refusal);
    const listed = await listErasures(c.get("config"), org, { caller, after: query.data.cursor });
    if (!listed.ok) return problem(c, listed.refusal);
    return json(c, listed.value satisfies z.infer<typeof erasuresSchema>, 200, FRESH);
  })
  .get(`${PATH}/:id`, (c) => one(c, getErasure))
  .post(`${PATH}/:id/cancel`, (c) => one(c, cancelErasure));

/** What is done about one erasure answers how it stands. */
async function one(c: Ctx, act: typeof getErasure): Promise<Response> {
  const target = await targetOf(c, "erasures:write");
  if (!target.ok) return problem(c, target.refusal);
  const { org, caller } = target.value;
  const found = await act(c.get("config"), org, { caller, id: c.req.param("id") ?? "" });
  return found.ok
    ? json(c, found.value satisfies z.infer<typeof erasureSchema>, 200, FRESH)
    : problem(c, found.refusal);
}

const listQuery = z.strictObject({ cursor: z.string().max(100).nullable().default(null) });
const ERASURE = { "application/json": erasureSchema };
const common = { tag: "Keep", scope: "erasures:write" } as const;
const errors = ["unauthorized", "forbidden", "not_found", "overloaded"] as const;

export const operations: Operation[] = [
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/erasures",
    id: "createErasure",
    summary: "Forget somebody",
    description:
      "Finds every entry in which the subject is actor, on_behalf_of or target, and traces that quote them, hot and cold; seals `indelible.erasure.begun`; and takes just those sections out of every store, as a job that goes on by itself. Leaves stay, so the tree, its root and every proof stay as they are. What a legal hold covers stays, and is counted. What is new while it runs is for another one. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at.",
    body: { "application/json": newErasureSchema },
    answers: { 202: { description: "Accepted.", body: ERASURE } },
    errors: [...errors, "invalid_request", "too_large", "unsupported_media_type", "rate_limited"],
  },
  {
    ...common,
    method: "get",
    path: "/v1/orgs/{org}/erasures",
    id: "listErasures",
    summary: "Erasures, the newest first",
    description: "None of them names its subject.",
    query: z.object({ cursor: z.string().optional().meta({ description: "`next_cursor` of the page before." }) }),
    answers: { 200: { description: "100 at most.", body: { "application/json": erasuresSchema } } },
    errors: [...errors, "invalid_request"],
  },
  {
    ...common,
    method: "get",
    path: "/v1/orgs/{org}/erasures/{id}",
    id: "getErasure",
    summary: "How an erasure stands; when it is over, its certificate",
    description:
      "What went and by which entries of the log, what a hold kept, and what remains where for how long. Of one that failed or was cancelled, what went until then.",
    answers: { 200: { description: "The erasure.", body: ERASURE } },
    errors,
  },
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/erasures/{id}/cancel",
    id: "cancelErasure",
    summary: "End an erasure that is not over",
    description:
      "What went stays gone, in every store; what its list names and is still there stays. `indelible.erasure.ended` says that it was cancelled, by whom and what went, and so does the certificate, some seconds later. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: one that is over stays as it is.",
    answers: { 200: { description: "How it stands.", body: ERASURE } },
    errors,
  },
];
