import * as z from "zod";
import { EVENT_MAX_TARGETS } from "../../limits.ts";
import { parsePointer } from "./pointer.ts";

export type Pointer = { text: string; steps: string[] };

/** Where the text of one event member comes from. */
export type Rule =
  | { from: Pointer }
  | { const: string | number | boolean }
  | { first: Rule[] }
  | { concat: Rule[] }
  | { epoch: Pointer }
  | { lookup: Pointer; table: Record<string, string>; else?: string | undefined };

/** Where a free value comes from: its source text is taken over. */
export type FreeRule = { from: Pointer } | { const: unknown };

const pointerSchema = z.string().transform((text, context): Pointer => {
  const steps = parsePointer(text);
  if (steps !== null) return { text, steps };
  context.addIssue('must be a JSON pointer: "" or /name/name, with ~1 for a slash and ~0 for a tilde in a name');
  return z.NEVER;
});

const RULE_FORMS =
  'must be a JSON pointer such as "/user/id", {"const": …}, {"first": [rules]}, {"concat": [rules]}, {"epoch": pointer} or {"lookup": pointer, "table": {…}, "else": …}';

const ruleSchema: z.ZodType<Rule> = z.lazy(() =>
  z.union(
    [
      pointerSchema.transform((from) => ({ from })),
      z.strictObject({ const: z.union([z.string(), z.number(), z.boolean()]) }),
      z.strictObject({ first: z.array(ruleSchema).min(1) }),
      z.strictObject({ concat: z.array(ruleSchema).min(1) }),
      z.strictObject({ epoch: pointerSchema }),
      z.strictObject({ lookup: pointerSchema, table: z.record(z.string(), z.string()), else: z.string().optional() }),
    ],
    { error: RULE_FORMS },
  ),
);

const freeRuleSchema: z.ZodType<FreeRule> = z.union(
  [pointerSchema.transform((from) => ({ from })), z.strictObject({ const: z.unknown() })],
  { error: 'must be a JSON pointer ("" is the whole record) or {"const": any JSON}' },
);

const rule = ruleSchema.optional();

const partySchema = z.strictObject({
  type: ruleSchema,
  id: ruleSchema,
  name: rule,
  email: rule,
  metadata: freeRuleSchema.optional(),
});

const listPathSchema = pointerSchema.refine((pointer) => pointer.steps.length > 0, {
  error: 'must name a member, such as "/Records": lists at the top of a file are opened without being named',
});

/** The shape of a `--map` file: each event member and where it comes from. */
export const mapFileSchema = z.strictObject({
  records: listPathSchema.optional(),
  id: rule,
  action: ruleSchema,
  category: rule,
  occurred_at: rule,
  version: rule,
  actor: partySchema,
  on_behalf_of: partySchema.optional(),
  targets: z
    .array(partySchema.omit({ email: true }).extend({ role: rule }))
    .max(EVENT_MAX_TARGETS)
    .optional(),
  outcome: z.strictObject({ result: rule, error_code: rule, error_message: rule }).optional(),
  context: z
    .strictObject({
      ip: rule,
      user_agent: rule,
      session_id: rule,
      request_id: rule,
      trace_id: rule,
      location: rule,
      device: rule,
    })
    .optional(),
  changes: z
    .strictObject({
      before: freeRuleSchema.optional(),
      after: freeRuleSchema.optional(),
      fields: z.array(ruleSchema).optional(),
    })
    .optional(),
  reason: rule,
  metadata: freeRuleSchema.optional(),
});

export type MapFile = z.infer<typeof mapFileSchema>;
