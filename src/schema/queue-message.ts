import * as z from "zod";
import { PAGE_MAX_ENTRIES } from "../limits.ts";
import { dateTimeSchema, labelSchema, orgSchema, subjectIdSchema } from "./names.ts";

/** The first version of every message; a consumer meets older ones for as long as messages and dead letters live. */
export const MESSAGE_VERSION = 1;

/**
 * `{"v":1,"kind":"append",…,"events":[…]}`: events of one org on their way to its ledger. The text of a message is JSON in
 * which each event is the client's own source text; `part_of` and `position` place a part of a larger request.
 */
export const appendMessageSchema = z.strictObject({
  v: z.literal(MESSAGE_VERSION),
  kind: z.literal("append"),
  org: orgSchema,
  batch: z.string().min(1).max(220),
  part_of: z.string().min(1).max(200).nullable().default(null),
  position: z.int().min(0).max(PAGE_MAX_ENTRIES).default(0),
  received_at: dateTimeSchema,
  key: labelSchema,
  delivery: z.enum(["queued", "binding", "import"]).default("queued"),
  events: z.array(z.unknown()),
});

/** `{"v":1,"kind":"read",…}`: the trace of an answer, for orgs whose `access_log` is `queued`. */
export const readMessageSchema = z.strictObject({
  v: z.literal(MESSAGE_VERSION),
  kind: z.literal("read"),
  org: orgSchema,
  batch: z.string().min(1).max(220),
  received_at: dateTimeSchema,
  key: labelSchema,
  viewer: z
    .strictObject({ token: labelSchema, actor: z.strictObject({ type: labelSchema, id: subjectIdSchema }) })
    .nullable()
    .default(null),
  answer: z.strictObject({
    route: labelSchema,
    filter: z.string(),
    reason: z.string().nullable(),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    request_id: z.string().nullable(),
    results: z.int().min(0),
    range: z.strictObject({ from: z.int(), to: z.int() }).nullable(),
  }),
});

export type AppendMessage = z.infer<typeof appendMessageSchema>;
export type ReadMessage = z.infer<typeof readMessageSchema>;
