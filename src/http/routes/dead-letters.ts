import { Hono } from "hono";
import * as z from "zod";
import { ok, refuse, type Result } from "../../errors.ts";
import { type DeadLetterRow, listDeadLetters, replayDeadLetter } from "../../ingest/dead-letters.ts";
import { PAGE_DEFAULT_ENTRIES, PAGE_MAX_ENTRIES } from "../../limits.ts";
import { deadLetterSchema, deadLettersSchema } from "../../schema/answers.ts";
import type { Caller } from "../../schema/caller.ts";
import { type App, callerOf, type Ctx, json, problem } from "../context.ts";
import type { Operation } from "../operation.ts";

export const deadLetters = new Hono<App>()
  .get("/v1/dead-letters", async (c) => {
    const operator = await operatorOf(c);
    if (!operator.ok) return problem(c, operator.refusal);
    const query = querySchema.safeParse(Object.fromEntries(new URL(c.req.url).searchParams));
    if (!query.success) {
      return problem(
        c,
        refuse("invalid_request", "Give state (dead, parked, replayed), limit (1 to 1000) and cursor only.").refusal,
      );
    }
    const { state, limit, cursor } = query.data;
    const rows = await listDeadLetters(c.get("config"), { state, after: cursor, limit: limit + 1 });
    const page = rows.slice(0, limit);
    const next_cursor = rows.length > limit ? (page.at(-1)?.id ?? null) : null;
    return json(c, { data: page.map(answerOf), next_cursor } satisfies z.infer<typeof deadLettersSchema>);
  })
  .post("/v1/dead-letters/:id/replay", async (c) => {
    const operator = await operatorOf(c);
    if (!operator.ok) return problem(c, operator.refusal);
    const replayed = await replayDeadLetter(c.get("config"), c.req.param("id"));
    return replayed.ok ? json(c, answerOf(replayed.value)) : problem(c, replayed.refusal);
  });

/** Who operates the platform: messages of any org, and of none, are theirs to see. */
export async function operatorOf(c: Ctx): Promise<Result<Caller>> {
  const caller = await callerOf(c, "operate");
  if (!caller.ok) return caller;
  const { value } = caller;
  if (value.kind === "trusted" && value.scopes.includes("operate") && typeof value.orgs === "string") return ok(value);
  return refuse("forbidden", "This needs the scope operate on every org: the root key, or a platform key.");
}

function answerOf(row: DeadLetterRow): z.infer<typeof deadLetterSchema> {
  const time = (at: number) => new Date(at).toISOString();
  const next_at = row.next_at === null ? null : time(row.next_at);
  return { ...row, received_at: time(row.received_at), stored_at: time(row.stored_at), next_at };
}

const querySchema = z.strictObject({
  state: z.enum(["dead", "parked", "replayed"]).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX_ENTRIES).default(PAGE_DEFAULT_ENTRIES),
  cursor: z.string().max(100).nullable().default(null),
});

export const operations: Operation[] = [
  {
    method: "get",
    path: "/v1/dead-letters",
    id: "listDeadLetters",
    summary: "List messages that could not be sequenced",
    tag: "Operate",
    scope: "operate",
    query: z.object({
      state: z.enum(["dead", "parked", "replayed"]).optional(),
      limit: z.int().min(1).max(PAGE_MAX_ENTRIES).optional(),
      cursor: z.string().optional(),
    }),
    answers: { 200: { description: "Last stored first.", body: { "application/json": deadLettersSchema } } },
    errors: ["invalid_request", "unauthorized", "forbidden"],
  },
  {
    method: "post",
    path: "/v1/dead-letters/{id}/replay",
    id: "replayDeadLetter",
    summary: "Try one again, through the same validation",
    description:
      "Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: what was sequenced is not sequenced again, and answered as it was.",
    tag: "Operate",
    scope: "operate",
    answers: { 200: { description: "Sequenced.", body: { "application/json": deadLetterSchema } } },
    errors: [
      "invalid_event",
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "conflict",
      "unprocessable",
      "overloaded",
    ],
  },
];
