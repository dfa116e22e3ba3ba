import * as z from "zod";
import { eventSchema } from "./event.ts";
import { CATEGORIES } from "./names.ts";

export const index = z.int().min(0).meta({ description: "Place in the log, from 0." });
export const hash = z.string().length(43).meta({ description: "SHA-256, base64url without padding." });
export const instant = z.string().meta({ format: "date-time" });

const absenceSchema = z
  .object({
    section: z.string(),
    cause: z.enum(["erased", "expired", "withheld", "unexplained"]),
    by: z
      .union([index, z.string()])
      .optional()
      .meta({ description: "The entry that names the cause, or the id of the quarantine." }),
    log: z
      .int()
      .optional()
      .meta({ description: "The number of the log that holds the cause, where it is not the entry's own." }),
  })
  .meta({ id: "Absence" });

export const entrySchema = z
  .object({
    ...eventSchema.shape,
    id: z.string().nullable().meta({ description: "Yours, or made by the service; null when it was erased." }),
    category: z.enum(CATEGORIES),
    index,
    log: z.string().meta({ description: "The log's origin." }),
    source: z.enum(["client", "service"]),
    sequenced_at: instant,
    received_at: instant.optional(),
    delivery: z.enum(["direct", "queued", "binding", "import", "replay"]).optional(),
    entry_hash: hash,
    prev: hash.meta({ description: "Entry hash of the entry before." }),
    keep_until: z.string().meta({ description: "UTC date, or `forever`." }),
    key: z.string().optional().meta({ description: "Id of the key, or name of the binding, it came with." }),
    batch: z.string().optional(),
    position: z.int().optional(),
    absent: z.array(absenceSchema),
    summary: z.string().meta({ description: "A sentence made from the members above; for people, not for programs." }),
  })
  .meta({ id: "Entry", description: "A sealed event; what is withheld, erased or expired is named in `absent`." });

/** What of an entry always stands in its leaf; where what happened is not shown, this is all there is. */
const hiddenEntrySchema = entrySchema
  .partial()
  .required({ index: true, log: true, source: true, sequenced_at: true, entry_hash: true, prev: true })
  .required({ category: true, keep_until: true, absent: true, summary: true })
  .meta({ id: "HiddenEntry", description: "An entry whose `event` section is absent." });

const text = z.string().optional();
const unreadableSchema = z
  .object({
    index,
    log: z.string(),
    ...{ category: text, keep_until: text, prev: text, sequenced_at: text, source: text },
    unreadable: z.string().meta({ description: "Why it cannot be shown as an entry." }),
    raw: text.meta({ description: "The stored line, or its leaf alone; only when it is this entry's." }),
  })
  .meta({ id: "Unreadable", description: "A row that this version cannot read, or that is not what it should be." });

export const shownEntrySchema = z.union([entrySchema, hiddenEntrySchema, unreadableSchema]);

export const entryPageSchema = z
  .object({
    data: z.array(shownEntrySchema),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: "Null is the end; a page may be short, even empty, before it." }),
    visible_size: z
      .int()
      .nullable()
      .meta({ description: "Entries below this index can be listed; null for a restricted reader." }),
    tier: z.enum(["hot", "cold", "both"]).meta({
      description: "Where this page was looked for: `cold` months are read from the archive, which takes longer.",
    }),
  })
  .meta({ id: "EntryPage" });
