import * as z from "zod";
import { CHANGED_FIELDS_MAX_COUNT, EVENT_MAX_TARGETS, EVENT_VERSION_MAX } from "../limits.ts";
import { actionSchema, CATEGORIES, dateTimeSchema, eventIdSchema, labelSchema, subjectIdSchema } from "./names.ts";

/** A free value: any JSON. Validation sees the parsed copy; what is stored is the source text. */
const freeValue = z.unknown().meta({ description: "Any JSON value, kept character for character." });

const party = z.strictObject({
  type: labelSchema,
  id: subjectIdSchema,
  name: z.string().optional(),
  email: z.string().optional(),
  metadata: freeValue.optional(),
});

const target = party.omit({ email: true }).extend({ role: labelSchema.optional() });

/** The one shape of every event, for ever: members may be added, none changed or taken away. */
export const eventSchema = z
  .strictObject({
    id: eventIdSchema.optional().meta({ description: "Your own id: the idempotency key of this event, for ever." }),
    action: actionSchema,
    category: z.enum(CATEGORIES).optional(),
    occurred_at: dateTimeSchema.optional().meta({ description: "When it happened, kept as given." }),
    version: z.int().min(1).max(EVENT_VERSION_MAX).optional().meta({ description: "Schema version of this action." }),
    actor: party,
    on_behalf_of: party.optional(),
    targets: z.array(target).min(1).max(EVENT_MAX_TARGETS).optional(),
    outcome: z
      .strictObject({
        result: z.enum(["success", "failure", "denied"]).optional(),
        error_code: z.string().optional(),
        error_message: z.string().optional(),
      })
      .optional(),
    context: z
      .strictObject({
        ip: z.string().optional(),
        user_agent: z.string().optional(),
        session_id: z.string().optional(),
        request_id: z.string().optional(),
        trace_id: z.string().optional(),
        location: z.string().optional(),
        device: z.string().optional(),
      })
      .optional(),
    changes: z
      .strictObject({
        before: freeValue.optional(),
        after: freeValue.optional(),
        fields: z.array(z.string()).max(CHANGED_FIELDS_MAX_COUNT).optional(),
      })
      .optional(),
    reason: z.string().optional(),
    metadata: freeValue.optional(),
  })
  .meta({ id: "Event", description: "What you submit." });

export type Event = z.infer<typeof eventSchema>;
