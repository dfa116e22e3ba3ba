import { LOG_MAX_ENTRIES, VERIFIER_MANIFEST_MAX_BYTES } from "../limits.ts";
import { placeInOrg } from "./continuation.ts";
import { noteText } from "./note/note.ts";

/**
 * A log in an export: `checkpoint` is the signed one whose tree its lines are proven in, of `size` entries, null for a log that
 * never had one. `first` and `last` are indexes of the lines there are, null when there is none.
 */
export type ExportedLog = {
  log: string;
  size: number;
  checkpoint: string | null;
  first: number | null;
  last: number | null;
  rows: number;
};

/**
 * Entries that the service had lost when it made an export: how many, and which, in the order of the logs. Runs do not touch; `more`: not
 * all are named. A log is named by its origin where whoever reads it may not know the org, else by its number.
 */
export type MissingEntries<L> = { entries: number; runs: MissingRun<L>[]; more: boolean };
export type MissingRun<L> = { log: L; first: number; last: number };

export type ExportPart = { name: string; bytes: number; rows: number; sha256: string };

/**
 * What an export says of itself, signed by a key of the org's newest log. `complete`: it holds every entry under its
 * checkpoints, with every section that is still there. What was asked for (`filter` and others) is kept as it was asked.
 */
export type ExportManifest = {
  id: string;
  org: string;
  format: "ndjson" | "csv";
  filter: unknown;
  from: unknown;
  to: unknown;
  sections: unknown;
  reason?: unknown;
  created_at: string;
  logs: ExportedLog[];
  rows: number;
  missing: MissingEntries<string>;
  parts: ExportPart[];
  complete: boolean;
};

/** No origin, so that no checkpoint passes for a manifest. */
const HEADER = "indelible/export/v1";

/** The text of a manifest as it is signed: its header and one line of JSON. */
export function exportManifestText(manifest: ExportManifest): string {
  return `${HEADER}\n${JSON.stringify(manifest)}\n`;
}

/** Reads the text of a manifest, or that of a signed one, which nobody has verified; null when it is none. */
export function parseExportManifest(text: string): ExportManifest | null {
  if (text.length > VERIFIER_MANIFEST_MAX_BYTES) return null;
  const [header, line = "", rest, ...more] = (text.includes("\n\n") ? noteText(text) : text).split("\n");
  if (header !== HEADER || rest !== "" || more.length > 0) return null;
  const value = parse(line);
  if (!isObject(value)) return null;
  const { id, org, format, created_at, logs, rows, missing, parts, complete } = value;
  const shaped =
    isText(id) &&
    isText(org) &&
    (format === "ndjson" || format === "csv") &&
    isText(created_at) &&
    isCount(rows) &&
    typeof complete === "boolean" &&
    Array.isArray(logs) &&
    logs.every(isLog) &&
    isObject(missing) &&
    Array.isArray(parts) &&
    parts.every(isPart);
  // The members the type names have just been checked, one by one.
  const manifest = value as ExportManifest;
  return shaped && isOneOrg(manifest) && areMissing(manifest) ? manifest : null;
}

/** Whether every entry of its logs is to be in an export: nothing was asked for that chooses among them. */
export function hasEveryEntry({ filter, from, to }: Pick<ExportManifest, "filter" | "from" | "to">): boolean {
  return from === null && to === null && (filter === null || (isObject(filter) && Object.keys(filter).length === 0));
}

/** The logs are those of one org, in their order. */
function isOneOrg({ org, logs }: ExportManifest): boolean {
  return logs.every(({ log }, n) => {
    const { first, number } = placeInOrg(log);
    const before = logs[n - 1];
    if (!first.endsWith(`/${org}`)) return false;
    if (before === undefined) return true;
    const place = placeInOrg(before.log);
    return place.first === first && place.number < number;
  });
}

/** The runs are of the logs, in their order and apart from each other, and as many entries as is said. */
function areMissing({ logs, missing: { entries, runs, more } }: ExportManifest): boolean {
  if (!isCount(entries) || !Array.isArray(runs) || typeof more !== "boolean") return false;
  let [at, next, named] = [0, 0, 0];
  for (const run of runs as unknown[]) {
    if (!isObject(run)) return false;
    const { log, first, last } = run;
    const place = logs.findIndex((one) => one.log === log);
    if (place > at) [at, next] = [place, 0];
    if (place !== at || !isCount(first) || !isCount(last) || first < next || first > last) return false;
    if (last >= (logs[place]?.size ?? 0)) return false;
    named += last - first + 1;
    // Those that touch are one.
    next = last + 2;
  }
  return more ? named < entries : named === entries;
}

function isLog(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { log, size, checkpoint, first, last, rows } = value;
  if (!isText(log) || !isCount(size) || size > LOG_MAX_ENTRIES || !isCount(rows)) return false;
  if (checkpoint !== null && !isText(checkpoint)) return false;
  return rows === 0 ? first === null && last === null : isCount(first) && isCount(last) && first <= last;
}

function isPart(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, bytes, rows, sha256 } = value;
  return isText(name) && isCount(bytes) && isCount(rows) && isText(sha256) && /^[0-9a-f]{64}$/.test(sha256);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
