import * as z from "zod";
import { LOG_MAX_ENTRIES, REASON_MAX_CHARACTERS } from "../limits.ts";
import { filterSchema } from "./filter.ts";
import { dateTimeSchema } from "./names.ts";

const reason = z.string().trim().min(1).max(REASON_MAX_CHARACTERS).meta({
  description: "Why; it is sealed in the log.",
});
const log = z.int().min(1).max(1_000_000);
const index = z.int().min(0).max(LOG_MAX_ENTRIES);

/** What `POST …/holds` takes. */
export const newHoldSchema = z
  .strictObject({
    reason,
    filter: filterSchema.optional(),
    from: dateTimeSchema.optional().meta({ description: "Entries that happened then or later." }),
    to: dateTimeSchema.optional().meta({ description: "Entries that happened then or earlier." }),
    after_index: index.optional().meta({ description: "Entries above this index." }),
    before_index: index.optional().meta({ description: "Entries below this index." }),
    log: log.optional().meta({
      description:
        "Entries of the org's log of this number alone; all logs by default, or the newest where an index is given.",
    }),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || Date.parse(from) <= Date.parse(to), {
    path: ["to"],
    message: "is before from, so nothing would be held",
  })
  .refine(({ after_index = -1, before_index = LOG_MAX_ENTRIES + 1 }) => after_index + 1 < before_index, {
    path: ["before_index"],
    message: "leaves no index above after_index, so nothing would be held",
  })
  .meta({ id: "NewHold", description: "Every member narrows; without any, all that is there and comes is held." });
export type NewHold = z.infer<typeof newHoldSchema>;

/** What a hold covers, as ledger and log keep it: `query` is the canonical text of a list's question, `log` null every log. */
export type HoldScope = { query: string; log: number | null; after_index: number | null; before_index: number | null };

/** A hold that stands. */
export type StandingHold = HoldScope & { id: string; reason: string; by: string; at: string };

/** The holds that stand. `version` is another one whenever they are others: a list of what goes was made with one version. */
export type Holds = { version: number; standing: readonly StandingHold[] };

/** A hold, standing or released. */
export type Hold = StandingHold & { released: { reason: string; by: string; at: string } | null };

/** What is done to a hold, or makes one. `personal`: what it asks for may be asked only by who has `personal:read`. */
export type HoldAct =
  | { do: "place"; asked: HoldScope & { reason: string; personal: boolean } }
  | { do: "release"; id: string; reason: string };

const act = {
  by: z.string().meta({ description: "The key that did." }),
  at: z.string().meta({ format: "date-time" }),
};
export const holdSchema = z
  .object({
    id: z.string(),
    reason: z.string(),
    filter: z.record(z.string(), z.array(z.string())),
    from: z.string().nullable(),
    to: z.string().nullable(),
    after_index: z.int().nullable(),
    before_index: z.int().nullable(),
    log: z.int().nullable().meta({ description: "Null: every log of the org." }),
    ...act,
    released: z.object({ reason: z.string(), ...act }).nullable(),
  })
  .meta({ id: "Hold", description: "While it stands, nothing that it covers expires or is erased." });
export type HoldAnswer = z.infer<typeof holdSchema>;
export const holdsSchema = z.object({ data: z.array(holdSchema), next_cursor: z.null() }).meta({ id: "Holds" });
