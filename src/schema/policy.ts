import * as z from "zod";
import { RETENTION_MAX_DAYS, RETENTION_MAX_RULES } from "../limits.ts";
import { actionFilterSchema, CATEGORIES, type Category } from "./names.ts";

/** How long entries are kept at least: `forever` beats any number. */
export type Days = number | "forever";

/** What an org says of its entries to come: days of a category, and what category an action is of, whatever was sent. */
export type RetentionPolicy = {
  days: Partial<Record<Category, Days>>;
  /** The first one that fits decides; an action ending in `.*` is a prefix. */
  rules: { action: string; category: Category }[];
};

/** Of an org that said nothing. */
export const NO_POLICY: RetentionPolicy = { days: {}, rules: [] };

/** Days of a category where the org's policy does not name it. */
const RETENTION_DAYS: Record<Category, number> = {
  log_access: 365,
  config_change: 2555,
  user_management: 2555,
  data_modification: 2555,
  login: 90,
  general: 365,
  telemetry: 365,
};

const DAY_MS = 86_400_000;

/**
 * The last UTC day an entry is kept: that of its sequencing plus the longest of what the decided and the client's category
 * ask. A client's word lengthens keeping, never shortens it. What was done to the log itself is kept as long as without a
 * policy at least: who may change that must not be able to let the trace of its own acts go early.
 */
export function keepUntil({
  sequencedAt,
  decided,
  sent,
  source,
  policy,
}: {
  sequencedAt: number;
  decided: Category;
  sent: Category | null;
  source: "client" | "service";
  policy: RetentionPolicy;
}): string {
  const asked = [daysOf(policy, decided), sent === null ? 0 : daysOf(policy, sent)];
  if (source === "service" && decided !== "log_access") asked.push(RETENTION_DAYS[decided]);
  if (asked.includes("forever")) return "forever";
  return utcDay(sequencedAt + Math.max(...asked.map(Number)) * DAY_MS);
}

/** The UTC date of an instant in milliseconds, YYYY-MM-DD. */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** What a policy says of every category. */
export function allDays(policy: RetentionPolicy): Record<Category, Days> {
  return Object.fromEntries(CATEGORIES.map((category) => [category, daysOf(policy, category)])) as Record<
    Category,
    Days
  >;
}

/** The category the policy gives an action; null when no rule fits. */
export function ruledCategory({ rules }: RetentionPolicy, action: string): Category | null {
  return rules.find((rule) => fits(rule.action, action))?.category ?? null;
}

function fits(rule: string, action: string): boolean {
  return rule.endsWith(".*") ? action.startsWith(rule.slice(0, -1)) : rule === action;
}

function daysOf({ days }: RetentionPolicy, category: Category): Days {
  return days[category] ?? RETENTION_DAYS[category];
}

const daysSchema = z.union([z.int().min(1).max(RETENTION_MAX_DAYS), z.literal("forever")]);
const rulesSchema = z
  .array(z.strictObject({ action: actionFilterSchema, category: z.enum(CATEGORIES) }))
  .max(RETENTION_MAX_RULES)
  .meta({ description: "The first rule that fits an action decides its category, whatever was sent." });

/** What `PUT …/retention` takes: the whole policy. */
export const putRetentionSchema = z
  .strictObject({
    days: z.partialRecord(z.enum(CATEGORIES), daysSchema).default({}).meta({
      description: "Days each category is kept at least, or `forever`; the normal ones where it is not named.",
    }),
    rules: rulesSchema.default([]),
  })
  .meta({ id: "PutRetention" });

/** What `…/retention` answers. */
export const retentionSchema = z.object({ days: z.record(z.enum(CATEGORIES), daysSchema), rules: rulesSchema }).meta({
  id: "Retention",
  description: "Holds for entries to come; those that are sealed are kept as their leaf says.",
});
