import { Hono } from "hono";
import * as z from "zod";
import type { Result } from "../../errors.ts";
import { HEAVY_READ_WEIGHT, STATS_ACTOR_MAX_ENTRIES, STATS_MAX_GROUPS } from "../../limits.ts";
import { permit } from "../../policy/org.ts";
import { listActions } from "../../query/list-actions.ts";
import { stats as countStats } from "../../query/stats.ts";
import { GROUPINGS, parseDaysQuery, parseStatsQuery } from "../../query/stats-query.ts";
import type { Reader, Traced } from "../../query/traced.ts";
import { inventorySchema, statsSchema } from "../../schema/counts.ts";
import { type App, type Ctx, json, problem, readerOf, tracedHeaders } from "../context.ts";
import type { Operation } from "../operation.ts";

export const stats = new Hono<App>()
  .get("/v1/orgs/:org/actions", (c) =>
    counted(c, parseDaysQuery, (reader, query) => listActions(c.get("config"), reader, query)),
  )
  .get("/v1/orgs/:org/stats", (c) =>
    counted(c, parseStatsQuery, (reader, query) => countStats(c.get("config"), reader, query)),
  );

/** Who reads, then what is asked, then the answer; what is wrong with a question is for those to know who may ask it. */
async function counted<Q, A extends object>(
  c: Ctx,
  parse: (params: URLSearchParams) => Result<Q>,
  ask: (reader: Reader, query: Q) => Promise<Result<Traced<A>>>,
): Promise<Response> {
  const reader = await readerOf(c);
  if (!reader.ok) return problem(c, reader.refusal);
  const query = parse(new URL(c.req.url).searchParams);
  if (!query.ok) {
    const allowed = await permit(c.get("config"), { ...reader.value, scope: "events:read" });
    return problem(c, allowed.ok ? query.refusal : allowed.refusal);
  }
  const found = await ask(reader.value, query.value);
  if (!found.ok) return problem(c, found.refusal);
  return json(c, found.value.answer, 200, tracedHeaders(c, found.value.read_index));
}

const DAYS = {
  from: z.string().optional().meta({ description: "First day, or a time on it; the org's first by default." }),
  to: z.string().optional().meta({ description: "Last day, or a time on it; today by default." }),
};
const OF_A_READ = {
  method: "get",
  tag: "Events",
  scope: "events:read",
  traced: "while_open",
  errors: ["invalid_request", "unauthorized", "forbidden", "not_found", "unprocessable", "overloaded"],
} as const;

export const operations: Operation[] = [
  {
    ...OF_A_READ,
    path: "/v1/orgs/{org}/actions",
    id: "listActions",
    summary: "List the actions of an org's log",
    description:
      "Each with its count, first and last day, categories and schema versions, from counters by UTC day of sequencing; and names that look like one action written twice. Days that hold too much are refused with `unprocessable`, which says what to ask instead.",
    query: z.object(DAYS),
    answers: { 200: { description: "The inventory.", body: { "application/json": inventorySchema } } },
  },
  {
    ...OF_A_READ,
    path: "/v1/orgs/{org}/stats",
    id: "getStats",
    summary: "Count entries",
    description: `By whole UTC days of sequencing, which the answer names. By actor the entries themselves are read, at most ${STATS_ACTOR_MAX_ENTRIES.toLocaleString("en-US")}; more are refused with \`unprocessable\`, which says what to ask instead, and it counts as ${HEAVY_READ_WEIGHT} reads of the key's share.`,
    query: z.object({
      group_by: z.enum(GROUPINGS).meta({ description: "What to count by." }),
      ...DAYS,
      limit: z
        .int()
        .min(1)
        .max(STATS_MAX_GROUPS)
        .optional()
        .meta({ description: `Groups named; ${STATS_MAX_GROUPS} by default.` }),
    }),
    answers: { 200: { description: "The counts.", body: { "application/json": statsSchema } } },
  },
];
