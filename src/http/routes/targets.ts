import { Hono } from "hono";
import * as z from "zod";
import { HEAVY_READ_WEIGHT, PAGE_DEFAULT_ENTRIES, PAGE_MAX_ENTRIES } from "../../limits.ts";
import { permit } from "../../policy/org.ts";
import { history, parseHistoryQuery } from "../../query/history.ts";
import { historySchema } from "../../schema/history.ts";
import { type App, answer, problem, readerOf, tracedHeaders } from "../context.ts";
import type { Operation } from "../operation.ts";

export const targets = new Hono<App>().get("/v1/orgs/:org/targets/:type/:id/history", async (c) => {
  const reader = await readerOf(c);
  if (!reader.ok) return problem(c, reader.refusal);
  const thing = { type: c.req.param("type"), id: c.req.param("id") };
  const query = parseHistoryQuery(thing, new URL(c.req.url).searchParams);
  if (!query.ok) {
    const allowed = await permit(c.get("config"), { ...reader.value, scope: "events:read" });
    return problem(c, allowed.ok ? query.refusal : allowed.refusal);
  }
  const found = await history(c.get("config"), reader.value, query.value);
  if (!found.ok) return problem(c, found.refusal);
  const { texts, next_cursor, visible_size, tier, state } = found.value.answer;
  // Free values stand in these texts as they were sent; parsing and writing them again would change them.
  const page = `"next_cursor":${JSON.stringify(next_cursor)},"visible_size":${visible_size},"tier":"${tier}"`;
  const body = `{"data":[${texts.join(",")}],${page},"state":${state}}`;
  return answer(c, 200, body, { "content-type": "application/json", ...tracedHeaders(c, found.value.read_index) });
});

export const operations: Operation[] = [
  {
    method: "get",
    path: "/v1/orgs/{org}/targets/{type}/{id}/history",
    id: "getHistory",
    summary: "List the entries that name a thing, and what they say it is now",
    description: `Entries with this target in any role, newest first. \`state\` is the thing rebuilt from the \`changes\` of all entries whose first target it is, whatever page and times are asked for: \`complete\` when they prove it, and otherwise with the reasons. The first page counts as ${HEAVY_READ_WEIGHT} reads of the key's share.`,
    tag: "Events",
    scope: "events:read",
    traced: "while_open",
    query: z.object({
      from: z.string().optional().meta({ description: "Occurred at or after; RFC 3339." }),
      to: z.string().optional().meta({ description: "Occurred at or before; RFC 3339." }),
      order: z.enum(["desc", "asc"]).optional().meta({ description: "Newest first, or `asc`." }),
      limit: z
        .int()
        .min(1)
        .max(PAGE_MAX_ENTRIES)
        .optional()
        .meta({ description: `Entries a page; ${PAGE_DEFAULT_ENTRIES} by default.` }),
      cursor: z.string().optional().meta({ description: "From `next_cursor`; bound to org, thing and times." }),
      min_size: z.int().min(0).optional().meta({ description: "Waits up to 5 s until this much can be listed." }),
    }),
    answers: { 200: { description: "A page.", body: { "application/json": historySchema } } },
    errors: ["invalid_request", "unauthorized", "forbidden", "not_found", "overloaded"],
  },
];
