import * as z from "zod";
import { entryPageSchema } from "./answers.ts";

/**
 * Why a state is not proven. `no_beginning`: no entry gives the whole thing before others change it. `no_changes`: an entry
 * about it says nothing of changes. `no_before`, `no_after`, `no_values`: it does not say what was before, what came after, or
 * only names fields. `other_target`: it changed something that may be the thing, which is not its first target.
 * `contradicts`: what it says was before is not what the entries before it left. `not_members`: the thing was or
 * became something that has no members. `absent`: the changes are not shown. `failed`: it tried, failed, and nobody knows how
 * far it got. `unreadable`: it is of a shape this version does not know. The others are of the whole history: `too_long` to be
 * rebuilt; `restricted` readers and windows under `quarantine` do not see all of it; a `continued` log may lack entries.
 */
export const STATE_REASONS = [
  "no_beginning",
  "no_changes",
  "no_before",
  "no_after",
  "no_values",
  "other_target",
  "contradicts",
  "not_members",
  "absent",
  "failed",
  "unreadable",
  "too_long",
  "restricted",
  "quarantine",
  "continued",
] as const;

const stateSchema = z.object({
  complete: z.boolean().meta({ description: "Whether the entries prove it." }),
  exists: z.boolean().nullable().meta({ description: "False when it was deleted; null when no entry says." }),
  members: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: "The last value known of each member, as it was sent." }),
  because: z
    .array(
      z.object({
        reason: z.enum(STATE_REASONS),
        count: z.int(),
        first: z.object({ log: z.string(), index: z.int().min(0) }).nullable(),
      }),
    )
    .meta({ description: "Why it is not complete: how many entries, and the first; null of the whole history." }),
});

/** What a history answers. */
export const historySchema = entryPageSchema
  .extend({ state: stateSchema.nullable().meta({ description: "On the first page; null on those after a cursor." }) })
  .meta({ id: "History", description: "Entries that name a thing, and the thing rebuilt from all of them." });
