import { Hono } from "hono";
import type * as z from "zod";
import { getRetention, putRetention } from "../../policy/retention.ts";
import { putRetentionSchema, retentionSchema } from "../../schema/policy.ts";
import { type App, json, problem } from "../context.ts";
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
  });

const common = { tag: "Keep", scope: "policy:write" } as const;
const errors = ["unauthorized", "forbidden", "not_found", "overloaded"] as const;
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
];
