import { Hono } from "hono";
import * as z from "zod";
import { ok, refuse, type Result } from "../../errors.ts";
import { createExport, permitExports } from "../../export/create-export.ts";
import { type Download, downloadExport } from "../../export/download.ts";
import { cancelExport, getExport, listExports } from "../../export/exports.ts";
import type { Caller } from "../../schema/caller.ts";
import { exportSchema, exportsSchema, newExportSchema } from "../../schema/export.ts";
import { jsonBody } from "../body.ts";
import {
  type App,
  answer,
  type Ctx,
  idempotencyKeyOf,
  json,
  networkTraced,
  problem,
  grantedOf,
  reasonOf,
  tracedHeaders,
} from "../context.ts";
import type { Operation } from "../operation.ts";
import { rangeIn } from "../range.ts";
import { targetOf } from "./orgs.ts";

const PATH = "/v1/orgs/:org/exports";
const FRESH = { "cache-control": "no-store" };

export const exports = new Hono<App>()
  .post(PATH, async (c) => {
    const target = await permitted(c);
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const idempotencyKey = idempotencyKeyOf(c);
    if (!idempotencyKey.ok) return problem(c, idempotencyKey.refusal);
    const asked = await jsonBody(c, newExportSchema);
    if (!asked.ok) return problem(c, asked.refusal);
    const asking = { caller, asked: asked.value, network: networkTraced(c), now: c.get("now") };
    const made = await createExport(c.get("config"), org, { ...asking, idempotencyKey: idempotencyKey.value });
    return made.ok ? json(c, made.value satisfies z.infer<typeof exportSchema>, 202, FRESH) : problem(c, made.refusal);
  })
  .get(PATH, async (c) => {
    const target = await permitted(c);
    if (!target.ok) return problem(c, target.refusal);
    const { org, caller } = target.value;
    const query = listQuery.safeParse(Object.fromEntries(new URL(c.req.url).searchParams));
    if (!query.success) return problem(c, refuse("invalid_request", "This list takes cursor only.").refusal);
    const listing = { caller, now: c.get("now"), after: query.data.cursor };
    const listed = await listExports(c.get("config"), org, listing);
    if (!listed.ok) return problem(c, listed.refusal);
    return json(c, listed.value satisfies z.infer<typeof exportsSchema>, 200, FRESH);
  })
  .get(`${PATH}/:id`, (c) => one(c, getExport))
  .post(`${PATH}/:id/cancel`, (c) => one(c, cancelExport))
  .get("/v1/exports/:link", async (c) => {
    const reason = reasonOf(c);
    if (!reason.ok) return problem(c, reason.refusal);
    const found = await downloadExport(c.get("config"), {
      link: c.req.param("link"),
      rangeOf: ({ size, etag }) => {
        return rangeIn({ range: c.req.header("range"), ifRange: c.req.header("if-range") }, { size, etag });
      },
      network: networkTraced(c),
      reason: reason.value,
      now: c.get("now"),
      granted: grantedOf(c),
    });
    if (!found.ok) return problem(c, found.refusal);
    if (!("unsatisfiable" in found.value)) return file(c, found.value);
    const { refusal } = refuse(
      "range_not_satisfiable",
      "The file has no such bytes: Content-Range says how many it has.",
    );
    return problem(c, refusal, { "content-range": `bytes */${found.value.unsatisfiable}` });
  });

/** What a link stands for: all of it, or the bytes that were asked for. */
function file(c: Ctx, { from, to, size, name, type, etag, body, read_index }: Download): Response {
  const part = to - from < size;
  const headers = {
    ...tracedHeaders(c, read_index),
    "content-type": type,
    "content-disposition": `attachment; filename="${name}"`,
    "content-length": String(to - from),
    "accept-ranges": "bytes",
    etag,
    ...(part ? { "content-range": `bytes ${from}-${to - 1}/${size}` } : {}),
  };
  return answer(c, part ? 206 : 200, body, headers);
}

/** What is wrong with a question is for those to know who may ask. */
async function permitted(c: Ctx): Promise<Result<{ org: string; caller: Caller }>> {
  const target = await targetOf(c, "exports:write");
  if (!target.ok) return target;
  const allowed = await permitExports(c.get("config"), target.value.org, target.value.caller);
  return allowed.ok ? ok(target.value) : allowed;
}

async function one(c: Ctx, act: typeof getExport): Promise<Response> {
  const target = await targetOf(c, "exports:write");
  if (!target.ok) return problem(c, target.refusal);
  const { org, caller } = target.value;
  const done = await act(c.get("config"), org, { caller, now: c.get("now"), id: c.req.param("id") ?? "" });
  return done.ok ? json(c, done.value satisfies z.infer<typeof exportSchema>, 200, FRESH) : problem(c, done.refusal);
}

const listQuery = z.strictObject({ cursor: z.string().max(100).nullable().default(null) });
const EXPORT = { "application/json": exportSchema };
const common = { tag: "Exports", scope: "exports:write" } as const;
const errors = ["unauthorized", "forbidden", "not_found", "overloaded"] as const;

export const operations: Operation[] = [
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/exports",
    id: "createExport",
    summary: "Copy entries into a file, however many there are",
    description:
      "Every entry of the org, or those that a filter chooses, up to a checkpoint of now, as a job that goes on by itself. Needs `events:read` as well. Sealed with its reason before anything is read; personal sections are in it with `personal:read`.",
    headers: { "Idempotency-Key": "Sent again, it is the same export; with another body it is refused." },
    body: { "application/json": newExportSchema },
    answers: { 202: { description: "Accepted.", body: EXPORT } },
    errors: [
      ...errors,
      "invalid_request",
      "conflict",
      "rate_limited",
      "reads_disabled",
      "too_large",
      "unsupported_media_type",
    ],
  },
  {
    ...common,
    method: "get",
    path: "/v1/orgs/{org}/exports",
    id: "listExports",
    summary: "Exports of an org, the newest first",
    description: "Twenty a page, without their parts and links.",
    query: z.object({ cursor: z.string().optional().meta({ description: "`next_cursor` of the page before." }) }),
    answers: { 200: { description: "The exports.", body: { "application/json": exportsSchema } } },
    errors: [...errors, "invalid_request"],
  },
  {
    ...common,
    method: "get",
    path: "/v1/orgs/{org}/exports/{id}",
    id: "getExport",
    summary: "How an export stands, with links to what it made",
    answers: { 200: { description: "The export.", body: EXPORT } },
    errors,
  },
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/exports/{id}/cancel",
    id: "cancelExport",
    summary: "End an export and remove what there is of it",
    description:
      "Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: one that is over stays as it is.",
    answers: { 200: { description: "How it stands.", body: EXPORT } },
    errors,
  },
  {
    method: "get",
    path: "/v1/exports/{link}",
    id: "downloadExport",
    summary: "The file of an export, or its signed manifest",
    description:
      "By a link of `getExport`, without a key; takes `Range` and `If-Range`. Each answer is traced; those of one link are one read session. What a restricted or closed reader may not have leaves no more by a link than by a read.",
    tag: "Exports",
    scope: null,
    traced: "while_open",
    answers: {
      200: { description: "All of it.", body: { "application/x-ndjson": null, "text/csv": null, "text/plain": null } },
      206: {
        description: "The bytes asked for.",
        body: { "application/x-ndjson": null, "text/csv": null, "text/plain": null },
      },
    },
    errors: [
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "range_not_satisfiable",
      "unprocessable",
      "overloaded",
    ],
  },
];
