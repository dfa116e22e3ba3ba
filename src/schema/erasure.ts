import * as z from "zod";
import { ERASURE_MAX_NAMES_ASKED, ERASURE_NAME_MAX_CHARACTERS, REASON_MAX_CHARACTERS } from "../limits.ts";
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
const nameSchema = z.string().trim().min(1).max(ERASURE_NAME_MAX_CHARACTERS);

/** What `POST …/erasures` takes. */
export const newErasureSchema = z
  .strictObject({
    subject: subjectSchema,
    reason,
    sections: sections.default([]).meta({
      description: "What else goes of each entry the subject is in; their id, name, email and metadata always go.",
      uniqueItems: true,
    }),
    names: z.array(nameSchema).max(ERASURE_MAX_NAMES_ASKED).optional().meta({
      description:
        "Names and addresses of the subject. An entry of the service's own that quotes one, or the id, loses its note. Left out, all that entries call the subject are looked for; none: the id alone.",
    }),
  })
  .meta({ id: "NewErasure" });
export type NewErasure = z.infer<typeof newErasureSchema>;

/** What a job is asked for; once it is over `subject` is null, and there are no `names`. */
export type ErasureRequest = Omit<NewErasure, "subject"> & { subject: Subject | null };

/** Whom an erasure looks for while it is not over. */
export type Sought = Omit<NewErasure, "reason">;

const count = z.int().min(0);
const removedSchema = z.object({
  entries: count,
  sections: count,
  quoting: count.meta({
    description:
      "Those of `entries` that are of the service's own and lost their note alone, for it quoted the subject: traces of reading, holds, exports, settings.",
  }),
});
export type Removed = z.infer<typeof removedSchema>;
const causeSchema = z.object({
  log: z.int().meta({ description: "Number of the log that holds the cause." }),
  index: index.meta({ description: "The entry `indelible.erasure.begun`." }),
  of_log: z.int().meta({ description: "Number of the log whose entries its list names." }),
  list: z.string().meta({ description: "SHA-256 of the list, which is at `…/absences/{sha256}` of the cause's log." }),
  ...removedSchema.shape,
  held: count.meta({
    description: "Entries of its list that a hold placed meanwhile kept; they are not among `entries`.",
  }),
  left: count.meta({ description: "Entries of its list that are still there, for the erasure was ended before." }),
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

/** What is certified when it is over, however it ended. Nothing of it names the subject. */
const certificateSchema = z.object({
  logs: z.array(z.object({ number: z.int(), log: z.string(), size: count })).meta({
    description: "What was to be searched: entries below `size` of each log. All were, of one that is `done`.",
  }),
  causes: z.array(causeSchema),
  removed: removedSchema,
  held: z
    .object({ entries: count, indexes: z.array(z.object({ log: z.int(), index })) })
    .meta({ description: "Entries that a legal hold keeps as they are; the first 100 by index." }),
  unreadable: count.meta({
    description:
      "Entries of which some copy is not in R2 as it was stored, so nobody could look into it; ask again once it is.",
  }),
  names_left: count.meta({
    description:
      "How often entries call the subject by yet another name, or by one of more than 200 characters: these were not looked for. Ask again with the `names` that matter.",
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
      .meta({
        description: "The logs are searched again until a round finds nothing more, neither entries nor names.",
      }),
    certificate: certificateSchema
      .nullable()
      .meta({ description: "Null until it is over; of one that failed or was cancelled, what went until then." }),
  })
  .meta({ id: "Erasure" });
export type ErasureAnswer = z.infer<typeof erasureSchema>;
export const erasuresSchema = z
  .object({ data: z.array(erasureSchema), next_cursor: z.string().nullable() })
  .meta({ id: "Erasures" });
