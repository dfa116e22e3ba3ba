import * as z from "zod";
import { EXPORT_LINK_SECONDS, EXPORT_MISSING_MAX_RUNS, FILTER_MAX_VALUES, REASON_MAX_CHARACTERS } from "../limits.ts";
import type { ExportedLog, ExportPart, MissingEntries } from "../chain/export-manifest.ts";
import { READING_SCOPES } from "./caller.ts";
import { index, instant } from "./entry-answers.ts";
import { minterSchema } from "./viewer-token.ts";

/** What of an entry an export may hold; `target` and `target/detail` are of every target. */
const SECTION_KINDS = [
  "event",
  "note",
  "actor",
  "actor/detail",
  "on_behalf_of",
  "on_behalf_of/detail",
  "target",
  "target/detail",
  "context",
  "changes",
  "metadata",
] as const;
export type SectionKind = (typeof SECTION_KINDS)[number];

const FORMATS = ["ndjson", "csv"] as const;
type ExportFormat = (typeof FORMATS)[number];

const value = z.union([z.string(), z.array(z.string()).min(1).max(FILTER_MAX_VALUES)]);

/** What `POST …/orgs/{org}/exports` takes. */
export const newExportSchema = z
  .strictObject({
    format: z.enum(FORMATS).meta({ description: "`ndjson`: lines that prove themselves; `csv`: for spreadsheets." }),
    reason: z.string().trim().min(1).max(REASON_MAX_CHARACTERS).meta({ description: "Why; it is sealed in the log." }),
    filter: z
      .record(z.string(), value)
      .optional()
      .meta({
        description:
          "Parameters of `listEntries` that choose entries, such as `actor`, `action`, `-category`, `q`; a list is any of its values.",
        example: { action: ["user.*"], "-actor": "u_1" },
      }),
    from: z.string().optional().meta({ description: "Entries that occurred then or later.", format: "date-time" }),
    to: z.string().optional().meta({ description: "Entries that occurred then or earlier.", format: "date-time" }),
    sections: z.array(z.enum(SECTION_KINDS)).min(1).optional().meta({
      description: "What of each entry is to be in it; all that the key may see by default.",
      uniqueItems: true,
    }),
  })
  .meta({ id: "NewExport" });
export type NewExport = z.infer<typeof newExportSchema>;

/** What a job is asked for. `query` is the filter in one spelling; `personal`: whether personal sections are in it. */
export type ExportRequest = {
  format: ExportFormat;
  reason: string;
  filter: Record<string, string | string[]> | null;
  from: string | null;
  to: string | null;
  sections: SectionKind[] | null;
  query: string;
  personal: boolean;
};

/** Entries `first` to `last` of a log are in a file of an export, `rows` of them; null where none is. */
export type LogShare = { number: number; first: number | null; last: number | null; rows: number };

/** A log of an export, with its number among the logs of its org. */
export type NumberedLog = LogShare & ExportedLog;

/**
 * How an export that was made stands: `began_at`, in ms, is when it began to read; `keep_days`, how long its files are kept;
 * `withdrawn` is why there is nothing of it any more.
 */
export type ExportResult = {
  began_at: number;
  keep_days: number;
  rows: number;
  bytes: number;
  entries: number;
  missing: MissingEntries<number>;
  logs: LogShare[];
  parts: ExportPart[];
  complete: boolean;
  quarantines: string[];
  manifest: { bytes: number; sha256: string };
  withdrawn: { at: string; because: string } | null;
};

const linkSchema = z.object({
  url: z.string().meta({ description: "Path and query on this service; needs no key." }),
  expires_at: instant,
});

const partSchema = z.object({
  name: z.string(),
  bytes: z.int(),
  rows: z.int(),
  sha256: z.string().meta({ description: "Hex, of these bytes of the file." }),
});

const missingSchema = z
  .object({
    entries: z.int().min(0),
    runs: z
      .array(z.object({ log: z.int().meta({ description: "Number of the log." }), first: index, last: index }))
      .meta({ description: `Which they are, in order: the first ${EXPORT_MISSING_MAX_RUNS} runs, or in lists fewer.` }),
    more: z.boolean().meta({ description: "Whether there are more runs than are named." }),
  })
  .meta({
    description:
      "Entries that the archive has lost, so they are in no export: it waited an hour in all for them, or a log had lost them before it was continued. The manifest names them too.",
  });

export const exportSchema = z
  .object({
    id: z.string(),
    state: z.enum(["queued", "running", "done", "failed", "cancelled", "withdrawn"]),
    format: z.enum(FORMATS),
    filter: z.record(z.string(), value).nullable(),
    from: z.string().nullable(),
    to: z.string().nullable(),
    sections: z.array(z.enum(SECTION_KINDS)).nullable(),
    reason: z.string(),
    created_at: instant,
    ended_at: instant.nullable(),
    expires_at: instant.nullable().meta({ description: "When its files go; null while there are none." }),
    error: z
      .string()
      .nullable()
      .meta({ description: "What it waits for, why the last step has to be made again, or why it ended." }),
    progress: z
      .object({
        entries_read: z.int(),
        entries_total: z.int().nullable().meta({ description: "Null until the export has begun." }),
        percent: z.number(),
        entries_per_second: z.number().nullable(),
        seconds_left: z.number().nullable(),
      })
      .meta({ description: "Entries are read one by one; those that the filter chooses are rows." }),
    rows: z.int(),
    bytes: z.int(),
    missing: missingSchema,
    complete: z.boolean().nullable().meta({
      description: "Whether it holds every entry under its checkpoints with every section; null until it is done.",
    }),
    parts: z.array(partSchema).meta({ description: "The file in order, in pieces whose hashes the manifest signs." }),
    manifest_sha256: z.string().nullable(),
    links: z
      .object({ data: linkSchema, manifest: linkSchema })
      .nullable()
      .meta({ description: `Made for this answer; each holds for ${EXPORT_LINK_SECONDS / 60} minutes.` }),
  })
  .meta({ id: "Export" });
export type ExportAnswer = z.infer<typeof exportSchema>;

export const exportsSchema = z
  .object({ data: z.array(exportSchema), next_cursor: z.string().nullable() })
  .meta({ id: "Exports" });

/** What a download link says: which file, by whose word, until when (ms). */
export const exportLinkSchema = z.strictObject({
  v: z.literal(1),
  link: z.string(),
  org: z.string(),
  id: z.string(),
  file: z.enum(["data", "manifest"]),
  minter: minterSchema,
  scopes: z.array(z.enum(READING_SCOPES)),
  expires_at: z.int(),
});
export type ExportLinkClaims = z.infer<typeof exportLinkSchema>;
