import * as z from "zod";
import { REASON_MAX_CHARACTERS } from "../limits.ts";
import { index, instant } from "./entry-answers.ts";
import { labelSchema, subjectIdSchema } from "./names.ts";

/** Sections that go on request alone: they need not be about the subject. */
const ON_REQUEST = ["note", "context", "changes", "metadata"] as const;

/** Who is to be forgotten: an actor, somebody acted for, or a target, by type and id. */
const subjectSchema = z.strictObject({ type: labelSchema, id: subjectIdSchema });
export type Subject = z.infer<typeof subjectSchema>;

const reason = z.string().trim().min(1).max(REASON_MAX_CHARACTERS).meta({
  description: "Why; it is sealed in the log, so do not name the subject in it.",
});
const sections = z.array(z.enum(ON_REQUEST)).max(ON_REQUEST.length);

/** What `POST …/erasures` takes. */
export const newErasureSchema = z
  .strictObject({
    subject: subjectSchema,
    reason,
    sections: sections.default([]).meta({
      description: "What else goes of each entry the subject is in; their id, name, email and metadata always go.",
      uniqueItems: true,
    }),
  })
  .meta({ id: "NewErasure" });
export type NewErasure = z.infer<typeof newErasureSchema>;

/** What a job is asked for; `subject` is null once it is over. */
export type ErasureRequest = Omit<NewErasure, "subject"> & { subject: Subject | null };

const count = z.int().min(0);
const removedSchema = z.object({ entries: count, sections: count });
const causeSchema = z.object({
  log: z.int().meta({ description: "Number of the log that holds the cause." }),
  index: index.meta({ description: "The entry `indelible.erasure.begun`." }),
  of_log: z.int().meta({ description: "Number of the log whose entries its list names." }),
  list: z.string().meta({ description: "SHA-256 of the list, which is at `…/absences/{sha256}` of the cause's log." }),
  ...removedSchema.shape,
  held: count.meta({
    description: "Entries of its list that a hold placed meanwhile kept; they are not among `entries`.",
  }),
});
export type ErasureCause = z.infer<typeof causeSchema>;

const elsewhereSchema = z.object({
  exports: count.meta({ description: "Exports that may have held the subject: withdrawn, or begun anew." }),
  dead_letters: count.meta({ description: "Messages that were never sequenced, from which the subject was taken." }),
  evidence: count.meta({ description: "Findings of repairs that quoted the subject: deleted." }),
  read_sessions: count.meta({ description: "Reads under way that quoted the subject: closed." }),
  held: count.meta({ description: "Messages and findings about the subject that a legal hold may cover: they stay." }),
});
export type Elsewhere = z.infer<typeof elsewhereSchema>;

/** What is certified when it is over. Nothing of it names the subject. */
const certificateSchema = z.object({
  logs: z
    .array(z.object({ number: z.int(), log: z.string(), size: count }))
    .meta({ description: "What was searched: entries below `size` of each log." }),
  causes: z.array(causeSchema),
  removed: removedSchema,
  held: z
    .object({ entries: count, indexes: z.array(z.object({ log: z.int(), index })) })
    .meta({ description: "Entries that a legal hold keeps as they are; the first 100 by index." }),
  unreadable: count.meta({
    description:
      "Entries of which some copy is not in R2 as it was stored, so nobody could look into it; ask again once it is.",
  }),
  elsewhere: elsewhereSchema,
  ended_index: index.meta({ description: "The entry `indelible.erasure.ended`." }),
  remains: z
    .array(z.object({ where: z.string(), until: z.string() }))
    .meta({ description: "What this service cannot take back, and when it goes by itself." }),
});
export type Certificate = z.infer<typeof certificateSchema>;

export const erasureSchema = z
  .object({
    id: z.string(),
    state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
    reason: z.string(),
    sections,
    created_at: instant,
    ended_at: instant.nullable(),
    error: z.string().nullable().meta({ description: "Why the last step has to be made again, or why it ended." }),
    progress: z
      .object({ round: count, entries_searched: count, entries_total: count, removed: removedSchema })
      .nullable()
      .meta({ description: "The logs are searched again until nothing more is found: twice at least." }),
    certificate: certificateSchema.nullable().meta({ description: "Null until it is done." }),
  })
  .meta({ id: "Erasure" });
export type ErasureAnswer = z.infer<typeof erasureSchema>;
export const erasuresSchema = z
  .object({ data: z.array(erasureSchema), next_cursor: z.string().nullable() })
  .meta({ id: "Erasures" });
