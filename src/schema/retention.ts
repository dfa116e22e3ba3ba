import * as z from "zod";

const day = z.iso.date("must be a UTC date, YYYY-MM-DD");
const index = z.int();

/** What `POST …/retention/runs` takes. */
export const newRunSchema = z
  .strictObject({
    dry_run: z.boolean().default(false).meta({ description: "Nothing goes: the run says what would." }),
    as_of: day.optional().meta({
      description: "What was to be kept until before this day; today by default. A day to come is for a dry run alone.",
    }),
    after_index: index.min(0).optional().meta({
      description: "Of a dry run: it looks at entries above this index of the newest log alone.",
    }),
  })
  .refine(({ dry_run, after_index }) => dry_run || after_index === undefined, {
    path: ["after_index"],
    message: "is for a dry run alone",
  })
  .meta({ id: "NewRetentionRun" });
export type NewRun = z.infer<typeof newRunSchema>;

/** A run as its job has it. `day`: what was to be kept until before it goes. `after`: null for all logs. */
export type RunRequest = { day: string; dry_run: boolean; after: number | null };

/** What a run has found so far, or let go. */
export type RunTotals = {
  entries: number;
  sections: number;
  held: number;
  unreadable: number;
  findings: number;
  counts: { category: string; month: string; entries: number; sections: number }[];
  first: { log: number; index: number; category: string; keep_until: string }[];
  causes: { log: number; index: number }[];
};

const count = z.int();
export const runSchema = z
  .object({
    id: z.string(),
    state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
    dry_run: z.boolean(),
    day: z.string().meta({ description: "Entries that were to be kept until before this UTC day go." }),
    created_at: z.string().meta({ format: "date-time" }),
    ended_at: z.string().nullable().meta({ format: "date-time" }),
    error: z.string().nullable(),
    entries: count.meta({ description: "Entries whose sections went, or would." }),
    sections: count,
    held: count.meta({ description: "Entries whose day is over, and that a hold keeps." }),
    unreadable: count.meta({
      description: "Entries that are not in R2 as they were stored, so the run passed over them.",
    }),
    findings: count.meta({
      description:
        "Rows that repairs had found where they did not belong, and whose own day is over: these went as well.",
    }),
    counts: z
      .array(z.object({ category: z.string(), month: z.string(), entries: count, sections: count }))
      .meta({ description: "The same by category and UTC month of sequencing." }),
    first: z
      .array(z.object({ log: z.int(), index, category: z.string(), keep_until: z.string() }))
      .meta({ description: "Of a dry run, the first 1,000 entries; `after_index` asks for more." }),
    causes: z
      .array(z.object({ log: z.int(), index }))
      .meta({ description: "The entries `indelible.retention.run` that say what went, each with its list." }),
  })
  .meta({ id: "RetentionRun" });
export type RunAnswer = z.infer<typeof runSchema>;
export const runsSchema = z
  .object({ data: z.array(runSchema), next_cursor: z.string().nullable() })
  .meta({ id: "RetentionRuns" });
