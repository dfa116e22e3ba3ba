import * as z from "zod";
import { refuse, type Refusal } from "../errors.ts";
import { LOG_MAX_ENTRIES, READS_CLOSED_RETRY_SECONDS, REASON_MAX_CHARACTERS } from "../limits.ts";

/** What a switch stops the reading of: one org, or the whole deployment, whose switch is kept by org `platform`. */
export type SwitchOf = "org" | "deployment";

/** Indexes `[from, to)` of the org's log of this number. */
export type Window = { log: number; from: number; to: number };

/** What is told of a closed switch to everybody who may read. `since` is RFC 3339. */
export type ReadsClosed = { of: SwitchOf; since: string; reason: string };

/** The one answer to who may read, and cannot while a switch is closed. */
export function refuseClosed(reads: ReadsClosed): { ok: false; refusal: Refusal } {
  const whose = reads.of === "org" ? "of this org" : "of every org here";
  const detail = `Reading ${whose} is switched off since ${reads.since}: ${reads.reason}`;
  return refuse("reads_disabled", detail, { reads, retry_after_s: READS_CLOSED_RETRY_SECONDS });
}

/**
 * A range that a finished verification covered. `ok`: every entry of it is vouched for, and nothing is broken. `breaks` counts
 * what was found; `breaks_sha256` (base64url) says which, so that other ones of the same number are not the same. Null of none.
 */
export type VerifiedRange = Window & {
  ok: boolean;
  breaks: number;
  breaks_sha256: string | null;
  by: string;
  at: string;
};

/** What is missing before reads may be opened, and the request that verifies it (or its first part). */
export type MissingRange = Window & { request: string };

/** How a switch stands, for who may turn it. */
export type ReadsView =
  | { enabled: true }
  | {
      enabled: false;
      since: string;
      reason: string;
      by: string;
      window: Window[];
      verified: VerifiedRange[];
      missing: MissingRange[];
      pending: { by: string; reason: string; expires_at: string } | null;
    };

/** A finished run of verification, as its runner tells the ledger. */
export type VerifyRun = Window & {
  /** The newest log and its size when the run was allowed: it began after everything sealed below. */
  begun: { log: number; size: number };
  /** What it rested on: `head`, or the entry hash of index `to - 1` it was given (null: nothing). */
  rests_on: "head" | { expect: string | null };
  /** The entry hash of index `from - 1`; null when the run does not vouch for it. */
  prev: string | null;
  ok: boolean;
  breaks: number;
  breaks_sha256: string | null;
  by: string;
};

const reason = z
  .string()
  .trim()
  .min(1)
  .max(REASON_MAX_CHARACTERS)
  .meta({ description: "Why; it is sealed in the log." });
const number = z.int().min(1).max(1_000_000).meta({ description: "Number of the org's log; its newest by default." });
const index = z.int().min(0).max(LOG_MAX_ENTRIES);

const closeSchema = z.strictObject({
  enabled: z.literal(false),
  reason,
  window: z
    .strictObject({ log: number.optional(), from: index.optional(), to: index.optional() })
    .optional()
    .meta({ description: "What has to be verified before reads open: all of each log by default." }),
});
const openSchema = z.strictObject({
  enabled: z.literal(true),
  reason,
  accept_breaks: z.boolean().optional().meta({ description: "Open although breaks were found; takes a second key." }),
});

/** What `PUT …/reads` takes. */
export const putReadsSchema = z.discriminatedUnion("enabled", [closeSchema, openSchema]).meta({ id: "PutReads" });
export type CloseReads = z.infer<typeof closeSchema>;
export type OpenReads = z.infer<typeof openSchema>;

/** A wish to open, and what the ledger cannot know: of the platform's keys. Times in ms. */
export type Opening = {
  asked: OpenReads;
  /** The key that wished, when it is revoked by now. */
  withdrawn: string | null;
  /** When the key that asks was made. */
  made_at: number | null;
};

const window = z.object({ log: z.int(), from: z.int(), to: z.int() });
const instant = z.string().meta({ format: "date-time" });

export const readsClosedSchema = z
  .object({ of: z.enum(["org", "deployment"]), since: instant, reason: z.string() })
  .meta({ id: "ReadsClosed", description: "What is closed to readers (`reads_disabled`), since when and why." });

/** What `…/status` says of reading. */
export const readsStatusSchema = z.object({
  state: z.enum(["enabled", "disabled", "unknown"]).meta({
    description: "`unknown`: the ledger of org `platform`, which keeps the deployment's switch, does not answer.",
  }),
  closed: z.array(readsClosedSchema).meta({ description: "The switches that are closed." }),
});

/** What `…/reads` answers. */
export const readsSchema = z
  .discriminatedUnion("enabled", [
    z.object({ enabled: z.literal(true) }),
    z.object({
      enabled: z.literal(false),
      since: instant,
      reason: z.string(),
      by: z.string().meta({ description: "The key that closed it." }),
      window: z.array(window).meta({ description: "What has to be verified before reads open." }),
      verified: z.array(
        window
          .extend({
            ok: z.boolean(),
            breaks: z.int(),
            breaks_sha256: z.string().nullable().meta({ description: "Which breaks: other ones, another text." }),
            by: z.string(),
            at: instant,
          })
          .meta({ description: "What was verified since, and whether all of it is vouched for and whole." }),
      ),
      missing: z.array(window.extend({ request: z.string() })).meta({
        description: "What is still to be verified, and the request that does it or its first part.",
      }),
      pending: z.object({ by: z.string(), reason: z.string(), expires_at: instant }).nullable().meta({
        description: "A key wants reads opened in spite of breaks, and waits for a second one.",
      }),
    }),
  ])
  .meta({ id: "Reads" });

/** What `POST …/quarantines` takes. */
export const newQuarantineSchema = z
  .strictObject({
    from: index.meta({ description: "First index." }),
    to: index.nullable().meta({ description: "Index after the last; null: every entry to come as well." }),
    reason,
    log: number.optional(),
  })
  .refine(({ from, to }) => to === null || from < to, { path: ["to"], message: "must be above from" })
  .meta({ id: "NewQuarantine" });
export type NewQuarantine = z.infer<typeof newQuarantineSchema>;

/** What is done to a quarantine, or makes one. */
export type QuarantineAct =
  | { do: "place"; asked: NewQuarantine }
  | { do: "release"; id: string; reason: string }
  | { do: "annotate"; id: string; note: string };

export const releaseSchema = z.strictObject({ reason }).meta({ id: "Release" });
export const noteSchema = z
  .strictObject({ note: reason.meta({ description: "Shown with the window, and sealed in the log." }) })
  .meta({ id: "QuarantineNote" });

const act = { by: z.string().meta({ description: "The key that did." }), at: instant };
export const quarantineSchema = z
  .object({
    id: z.string(),
    log: z.int(),
    from: z.int(),
    to: z.int().nullable(),
    reason: z.string(),
    ...act,
    released: z.object({ reason: z.string(), ...act }).nullable(),
    notes: z.array(z.object({ note: z.string(), ...act })).meta({ description: "Oldest first; the last 20." }),
  })
  .meta({ id: "Quarantine", description: "A window of entries shown with every section withheld." });
export type Quarantine = z.infer<typeof quarantineSchema>;
export const quarantinesSchema = z
  .object({ data: z.array(quarantineSchema), next_cursor: z.null() })
  .meta({ id: "Quarantines" });
