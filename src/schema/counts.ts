import * as z from "zod";

/** What statistics and the inventory of actions answer. */
const day = z.string().meta({ description: "UTC day of sequencing, YYYY-MM-DD." });
const days = z.object({ from: day, to: day }).meta({ description: "The whole days that are covered, both included." });
const numbers = {
  count: z.int(),
  success: z.int(),
  failure: z.int(),
  denied: z.int(),
  success_rate: z.number().nullable().meta({ description: "Share of successes; null of no entry and of `result`." }),
};

export const statsSchema = z
  .object({
    group_by: z.enum(["action", "category", "result", "target_type", "day", "actor"]),
    days,
    total: z.object(numbers),
    data: z
      .array(
        z.object({
          value: z.string(),
          type: z.string().optional().meta({ description: "Of an actor." }),
          ...numbers,
        }),
      )
      .meta({ description: "The groups with most entries first; days newest first." }),
    groups: z.int().meta({ description: "How many groups there are." }),
    truncated: z.boolean().meta({ description: "Whether `data` leaves some of them out." }),
    other: z
      .object(numbers)
      .nullable()
      .meta({ description: "Entries counted without their name, past a month's cap." }),
    none: z.object(numbers).nullable().meta({ description: "Entries that have no such value." }),
  })
  .meta({ id: "Stats" });

export const inventorySchema = z
  .object({
    days,
    data: z
      .array(
        z.object({
          action: z.string(),
          count: z.int(),
          first_day: day,
          last_day: day,
          categories: z.array(z.object({ category: z.string(), count: z.int() })),
          versions: z
            .array(z.object({ version: z.int(), first_day: day, last_day: day }))
            .meta({ description: "Schema versions, each with the days it was first and last seen at all." }),
        }),
      )
      .meta({ description: "By name." }),
    other_count: z.int().meta({ description: "Entries counted without their action, past a month's cap." }),
    versions_complete: z.boolean().meta({ description: "False when there were more than are remembered." }),
    drift: z
      .array(z.object({ actions: z.array(z.string()), differences: z.array(z.string()), suggestion: z.string() }))
      .meta({ description: "Actions that look like one written in several ways, and the name to keep: a guess." }),
  })
  .meta({ id: "Inventory" });
