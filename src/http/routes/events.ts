import { Hono } from "hono";
import * as z from "zod";
import { refuse, type Result } from "../../errors.ts";
import { enqueue, permitHandover } from "../../ingest/enqueue.ts";
import { type ParsedEvent, parseEventsJson, parseEventsNdjson, type Read } from "../../ingest/parse-events.ts";
import { submit } from "../../ingest/submit.ts";
import {
  APPEND_MAX_BYTES,
  FILTER_MAX_VALUES,
  PAGE_DEFAULT_ENTRIES,
  PAGE_MAX_ENTRIES,
  SEARCH_STRING_MAX_CHARACTERS,
} from "../../limits.ts";
import { countFailed } from "../../meter.ts";
import { permit } from "../../policy/org.ts";
import type { Field } from "../../query/fields.ts";
import { getEntry } from "../../query/get-entry.ts";
import { listEntries } from "../../query/list-entries.ts";
import { parseListQuery } from "../../query/query.ts";
import { acceptedSchema, appendedSchema, entryPageSchema, shownEntrySchema } from "../../schema/answers.ts";
import { eventSchema } from "../../schema/event.ts";
import { bodyText, mediaTypeOf } from "../body.ts";
import {
  type App,
  answer,
  callerOf,
  type Ctx,
  idempotencyKeyOf,
  orgOf,
  json,
  problem,
  readerOf,
  tracedHeaders,
} from "../context.ts";
import { eachLog, logNumberOf, ofLog } from "../of-log.ts";
import type { Operation } from "../operation.ts";

export const events = new Hono<App>()
  .post("/v1/orgs/:org/events", async (c) => {
    const imported = c.req.header("audit-delivery") === "import";
    const scope = imported ? "events:import" : "events:append";
    const caller = await callerOf(c, scope);
    if (!caller.ok) return problem(c, caller.refusal);
    const org = orgOf(c);
    if (!org.ok) return problem(c, org.refusal);
    const config = c.get("config");
    const sent = await readSent(c);
    if (!sent.ok) {
      // What is wrong with a request is for those to know who may make it; a good one is decided by the append itself.
      const allowed = await permit(config, { org: org.value, caller: caller.value, scope });
      if (allowed.ok) countFailed(sent.refusal.code, sent.held);
      return problem(c, allowed.ok ? sent.refusal : allowed.refusal);
    }
    const { events: parsed, idempotencyKey } = sent.value;
    const handover = { org: org.value, caller: caller.value, idempotencyKey, received_at: c.get("now") };
    const warnings = doubtfulNames(parsed);
    const headers: Record<string, string> = warnings === null ? {} : { "audit-warnings": warnings };
    if (prefersAsync(c)) {
      const sequenced = await permitHandover(config, { ...handover, scope });
      if (!sequenced.ok) return problem(c, sequenced.refusal, headers);
      const delivery = imported ? "import" : "queued";
      const accepted = await enqueue(config, { ...handover, sequenced: sequenced.value, events: parsed, delivery });
      if (!accepted.ok) return problem(c, accepted.refusal, headers);
      headers["preference-applied"] = "respond-async";
      return json(c, { data: accepted.value } satisfies z.infer<typeof acceptedSchema>, 202, headers);
    }
    const cut = parsed.map((event) => event.cut);
    const delivery = imported ? "import" : "direct";
    const appended = await submit(config, { ...handover, events: cut, delivery }, c.executionCtx);
    if (!appended.ok) return problem(c, appended.refusal, headers);
    const { receipts, size } = appended.value;
    return json(c, { data: receipts, size } satisfies z.infer<typeof appendedSchema>, 201, headers);
  })
  .get("/v1/orgs/:org/events", async (c) => {
    const reader = await readerOf(c);
    if (!reader.ok) return problem(c, reader.refusal);
    const query = parseListQuery(new URL(c.req.url).searchParams);
    if (!query.ok) {
      const allowed = await permit(c.get("config"), { ...reader.value, scope: "events:read" });
      return problem(c, allowed.ok ? query.refusal : allowed.refusal);
    }
    const listed = await listEntries(c.get("config"), reader.value, query.value);
    if (!listed.ok) return problem(c, listed.refusal);
    const { texts, next_cursor, visible_size, tier } = listed.value.answer;
    // Free values stand in these texts as they were sent; parsing and writing them again would change them.
    const body = `{"data":[${texts.join(",")}],"next_cursor":${JSON.stringify(next_cursor)},"visible_size":${visible_size},"tier":"${tier}"}`;
    return answer(c, 200, body, { "content-type": "application/json", ...tracedHeaders(c, listed.value.read_index) });
  })
  .on("GET", ofLog("events/:id"), async (c) => {
    const reader = await readerOf(c);
    if (!reader.ok) return problem(c, reader.refusal);
    const number = logNumberOf(c);
    if (!number.ok) return problem(c, number.refusal);
    const found = await getEntry(c.get("config"), reader.value, c.req.param("id") ?? "", number.value);
    if (!found.ok) return problem(c, found.refusal);
    const { answer: text, read_index } = found.value;
    const headers = tracedHeaders(c, read_index);
    if (text !== null) return answer(c, 200, text, { "content-type": "application/json", ...headers });
    return problem(c, refuse("not_found", NO_ENTRY).refusal, headers);
  });

const NO_ENTRY =
  "This log has no entry of this id or index, or not yet. An older one, in the archive alone, is found by its index, or by an id its sender gave it.";

type Sent = { events: ParsedEvent[]; idempotencyKey: string | null };

/** What was sent; `held`: how many events a request that is refused held, as far as it was read. */
async function readSent(c: Ctx): Promise<Result<Sent> & { held: number }> {
  const idempotencyKey = idempotencyKeyOf(c);
  if (!idempotencyKey.ok) return { ...idempotencyKey, held: 1 };
  const parsed = await parseBody(c);
  return parsed.ok ? { ...parsed, value: { events: parsed.value, idempotencyKey: idempotencyKey.value } } : parsed;
}

async function parseBody(c: Ctx): Promise<Read> {
  const type = mediaTypeOf(c);
  const ndjson = type === "application/x-ndjson" || type === "application/ndjson";
  if (!ndjson && type !== "application/json") {
    const detail = "Send `Content-Type: application/json` or `application/x-ndjson`.";
    return { ...refuse("unsupported_media_type", detail), held: 1 };
  }
  const text = await bodyText(c, APPEND_MAX_BYTES);
  if (!text.ok) return { ...text, held: 1 };
  return ndjson ? parseEventsNdjson(text.value) : parseEventsJson(text.value);
}

/** Source: RFC 7240. */
function prefersAsync(c: Ctx): boolean {
  return (c.req.header("prefer") ?? "")
    .split(",")
    .some((preference) => preference.split(";", 1)[0]?.trim().toLowerCase() === "respond-async");
}

/** Names that will be regretted: taken, but said. */
function doubtfulNames(events: readonly ParsedEvent[]): string | null {
  const doubtful = new Set<string>();
  for (const { cut } of events) {
    if (!/^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(cut.action) && /^[\x20-\x7e]+$/.test(cut.action)) doubtful.add(cut.action);
    if (doubtful.size === 5) break;
  }
  if (doubtful.size === 0) return null;
  return [...doubtful]
    .map((action) => `action "${action.replaceAll('"', "'")}": write noun.verb in lower case`)
    .join("; ");
}

const many = (what: string) => z.array(z.string()).max(FILTER_MAX_VALUES).optional().meta({ description: what });
const one = (what: string) => z.string().optional().meta({ description: what });
const number = (what: string) => z.int().min(0).optional().meta({ description: what });

const FILTERS: Record<Field, string> = {
  actor: "Actor id; repeated: any of.",
  on_behalf_of: "Id of the one acted for.",
  action: "Action, or a prefix such as `user.*`.",
  target: "Target id.",
  target_type: "Target type.",
  category: "Category.",
  source: "`client` or `service`.",
  result: "`success`, `failure` or `denied`.",
  ip: "Needs `personal:read`.",
  session_id: "Needs `personal:read`.",
  request_id: "Needs `personal:read`.",
};
const filters = Object.entries(FILTERS);

const listQuery = z.object({
  ...Object.fromEntries(filters.map(([name, what]) => [name, many(what)])),
  ...Object.fromEntries(filters.map(([name]) => [`-${name}`, many(`None of these as \`${name}\`.`)])),
  q: z
    .string()
    .max(SEARCH_STRING_MAX_CHARACTERS)
    .optional()
    .meta({ description: 'Search string for people: `actor:u_17 -result:success "exact words" word -word`.' }),
  from: one("Occurred at or after; RFC 3339."),
  to: one("Occurred at or before; RFC 3339."),
  after_index: number("Indexes above this one."),
  before_index: number("Indexes below this one."),
  order: z.enum(["desc", "asc"]).optional().meta({ description: "Newest first, or `asc` for followers." }),
  limit: z
    .int()
    .min(1)
    .max(PAGE_MAX_ENTRIES)
    .optional()
    .meta({ description: `Entries a page; ${PAGE_DEFAULT_ENTRIES} by default.` }),
  cursor: one("From `next_cursor`; bound to org and filter."),
  min_size: number("Waits up to 5 s until this much of the log can be listed."),
});

export const operations: Operation[] = [
  {
    method: "post",
    path: "/v1/orgs/{org}/events",
    id: "appendEvents",
    summary: "Append events",
    description:
      'One event, `{ "events": […] }` (1–1000), or NDJSON. All or nothing. 201 means durable and sequenced; with `Prefer: respond-async`, 202 means durable and on its way.',
    tag: "Events",
    scope: "events:append",
    headers: {
      "Idempotency-Key": "Names the batch, for ever: sent again, it gets the same answer.",
      Prefer: "`respond-async` hands over to the queue.",
      "Audit-Delivery": "`import` marks imported history; needs `events:import`.",
    },
    body: {
      "application/json": z.union([eventSchema, z.strictObject({ events: z.array(eventSchema).min(1).max(1_000) })]),
      "application/x-ndjson": null,
    },
    answers: {
      201: { description: "Sequenced.", body: { "application/json": appendedSchema } },
      202: { description: "Accepted.", body: { "application/json": acceptedSchema } },
    },
    errors: [
      "invalid_event",
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "conflict",
      "too_large",
      "unsupported_media_type",
      "overloaded",
    ],
  },
  {
    method: "get",
    path: "/v1/orgs/{org}/events",
    id: "listEntries",
    summary: "List entries",
    description: "Newest first. Each answer is traced in the log before it leaves; `Audit-Read-Index` names the entry.",
    tag: "Events",
    scope: "events:read",
    traced: "while_open",
    query: listQuery,
    answers: { 200: { description: "A page.", body: { "application/json": entryPageSchema } } },
    errors: ["invalid_request", "unauthorized", "forbidden", "not_found", "overloaded"],
  },
  ...eachLog({
    method: "get",
    path: "/v1/orgs/{org}/events/{id}",
    id: "getEntry",
    summary: "Get one entry by id or index",
    description:
      "An id that the service made, of an entry that is long in the archive alone, is answered with 422: get it by index.",
    tag: "Events",
    scope: "events:read",
    traced: "while_open",
    answers: { 200: { description: "The entry.", body: { "application/json": shownEntrySchema } } },
    errors: ["unauthorized", "forbidden", "not_found", "unprocessable", "overloaded"],
  }),
];
