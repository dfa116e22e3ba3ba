import { Hono } from "hono";
import type * as z from "zod";
import { listHolds, placeHold, releaseHold } from "../../keep/holds.ts";
import { holdSchema, holdsSchema, newHoldSchema } from "../../schema/hold.ts";
import { releaseSchema } from "../../schema/reads.ts";
import { type App, json, problem } from "../context.ts";
import type { Operation } from "../operation.ts";
import { bodyFor } from "./body-for.ts";
import { targetOf } from "./orgs.ts";

const PATH = "/v1/orgs/:org/holds";

export const holds = new Hono<App>()
  .get(PATH, async (c) => {
    const target = await targetOf(c, "holds:write");
    if (!target.ok) return problem(c, target.refusal);
    const listed = await listHolds(c.get("config"), target.value.org, target.value.caller);
    if (!listed.ok) return problem(c, listed.refusal);
    return json(c, { data: listed.value, next_cursor: null } satisfies z.infer<typeof holdsSchema>);
  })
  .post(PATH, async (c) => {
    const asked = await bodyFor(c, "holds:write", newHoldSchema);
    if (!asked.ok) return problem(c, asked.refusal);
    const { org, caller, body } = asked.value;
    const placed = await placeHold(c.get("config"), org, { caller, wanted: body });
    return placed.ok ? json(c, placed.value, 201) : problem(c, placed.refusal);
  })
  .post(`${PATH}/:id/release`, async (c) => {
    const asked = await bodyFor(c, "holds:write", releaseSchema);
    if (!asked.ok) return problem(c, asked.refusal);
    const { org, caller, body } = asked.value;
    const released = await releaseHold(c.get("config"), org, { caller, id: c.req.param("id"), reason: body.reason });
    return released.ok ? json(c, released.value) : problem(c, released.refusal);
  });

const common = { tag: "Keep", scope: "holds:write" } as const;
const errors = ["unauthorized", "forbidden", "not_found", "overloaded"] as const;
const postErrors = [...errors, "invalid_request", "too_large", "unsupported_media_type", "unprocessable"] as const;
const HOLD = { "application/json": holdSchema };

export const operations: Operation[] = [
  {
    ...common,
    method: "get",
    path: "/v1/orgs/{org}/holds",
    id: "listHolds",
    summary: "Legal holds",
    description: "All that stand, then the last 100 that were released; the log has them all.",
    answers: { 200: { description: "The holds.", body: { "application/json": holdsSchema } } },
    errors,
  },
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/holds",
    id: "placeHold",
    summary: "Keep what a filter finds, whatever the days say",
    description:
      "While it stands, nothing that it covers expires or is erased, entries still to come as well. At most 100 stand at once, and they may overlap. A filter by `ip`, `session_id`, `request_id` or words needs `personal:read` as well. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: the same words for the same reason are the one that stands.",
    body: { "application/json": newHoldSchema },
    answers: { 201: { description: "It stands.", body: HOLD } },
    errors: postErrors,
  },
  {
    ...common,
    method: "post",
    path: "/v1/orgs/{org}/holds/{id}/release",
    id: "releaseHold",
    summary: "Let the days count again",
    description:
      "What another hold covers stays. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: one that was released is answered as it was.",
    body: { "application/json": releaseSchema },
    answers: { 200: { description: "Released.", body: HOLD } },
    errors: postErrors,
  },
];
