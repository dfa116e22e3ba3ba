import { Hono } from "hono";
import type * as z from "zod";
import { actOnQuarantine, listQuarantines } from "../../policy/quarantines.ts";
import type { Caller } from "../../schema/caller.ts";
import {
  newQuarantineSchema,
  noteSchema,
  type QuarantineAct,
  quarantineSchema,
  quarantinesSchema,
  releaseSchema,
} from "../../schema/reads.ts";
import { type App, type Ctx, json, problem } from "../context.ts";
import type { Operation } from "../operation.ts";
import { bodyFor } from "./body-for.ts";
import { targetOf } from "./orgs.ts";

const PATH = "/v1/orgs/:org/quarantines";

export const quarantines = new Hono<App>()
  .get(PATH, async (c) => {
    const target = await targetOf(c, "events:read");
    if (!target.ok) return problem(c, target.refusal);
    const listed = await listQuarantines(c.get("config"), target.value.org, target.value.caller);
    if (!listed.ok) return problem(c, listed.refusal);
    return json(c, { data: listed.value, next_cursor: null } satisfies z.infer<typeof quarantinesSchema>);
  })
  .post(PATH, async (c) => {
    const asked = await bodyFor(c, "reads:write", newQuarantineSchema);
    return asked.ok ? acted(c, asked.value, { do: "place", asked: asked.value.body }, 201) : problem(c, asked.refusal);
  })
  .post(`${PATH}/:id/release`, async (c) => {
    const asked = await bodyFor(c, "reads:write", releaseSchema);
    if (!asked.ok) return problem(c, asked.refusal);
    return acted(c, asked.value, { do: "release", id: c.req.param("id"), ...asked.value.body }, 200);
  })
  .post(`${PATH}/:id/notes`, async (c) => {
    const asked = await bodyFor(c, "reads:write", noteSchema);
    if (!asked.ok) return problem(c, asked.refusal);
    return acted(c, asked.value, { do: "annotate", id: c.req.param("id"), ...asked.value.body }, 201);
  });

async function acted(
  c: Ctx,
  { org, caller }: { org: string; caller: Caller },
  act: QuarantineAct,
  status: number,
): Promise<Response> {
  const done = await actOnQuarantine(c.get("config"), org, { caller, act });
  if (!done.ok) return problem(c, done.refusal);
  return json(c, done.value satisfies z.infer<typeof quarantineSchema>, status);
}

const QUARANTINE = { "application/json": quarantineSchema };
const common = { tag: "Operate", scope: "reads:write" } as const;
const errors = ["unauthorized", "forbidden", "not_found", "overloaded"] as const;
const postErrors = [...errors, "invalid_request", "too_large", "unsupported_media_type", "unprocessable"] as const;

export const operations: Operation[] = [
  {
    ...common,
    scope: "events:read",
    method: "get",
    path: "/v1/orgs/{org}/quarantines",
    id: "listQuarantines",
    summary: "Windows under quarantine",
    description:
      "All that stand, then the last 100 that were released, with reasons and notes; the log has them all. Not for tokens that are restricted.",
    answers: { 200: { description: "The quarantines.", body: { "application/json": quarantinesSchema } } },
    errors,
  },
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/quarantines",
    id: "placeQuarantine",
    summary: "Withhold every section of a window of entries",
    description:
      "Holds for every reader from the next read on; the tree and verification are not touched. At most 100 stand at once. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: the same window for the same reason is the one that stands.",
    body: { "application/json": newQuarantineSchema },
    answers: { 201: { description: "It stands.", body: QUARANTINE } },
    errors: postErrors,
  },
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/quarantines/{id}/release",
    id: "releaseQuarantine",
    summary: "Show a window again",
    description:
      "Entries that another quarantine covers stay withheld. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: one that was released is answered as it was.",
    body: { "application/json": releaseSchema },
    answers: { 200: { description: "Released.", body: QUARANTINE } },
    errors: postErrors,
  },
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/quarantines/{id}/notes",
    id: "annotateQuarantine",
    summary: "Say something about a quarantine",
    description:
      "Shown with it, also after its release: the last 20 notes. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: the last note again is the same one.",
    body: { "application/json": noteSchema },
    answers: { 201: { description: "The quarantine with its notes.", body: QUARANTINE } },
    errors: postErrors,
  },
];
