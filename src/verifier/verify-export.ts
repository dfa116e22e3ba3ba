import { base64, base64url } from "../chain/encoding.ts";
import { type ExportedLog, type ExportManifest, hasEveryEntry } from "../chain/export-manifest.ts";
import { readExportLine } from "../chain/export-line.ts";
import { genesisPrev } from "../chain/genesis.ts";
import { entryHash, type ParsedLeaf, parseLeaf } from "../chain/leaf.ts";
import { originOfLog, placeInOrg } from "../chain/continuation.ts";
import { checkpointText } from "../chain/note/checkpoint.ts";
import { portableSha256 } from "../chain/portable-sha256.ts";
import type { Sha256 } from "../chain/sha256.ts";
import { VERIFIER_LINE_MAX_BYTES, VERIFY_MAX_BREAKS } from "../limits.ts";
import { AbsenceClaims } from "./absence-claims.ts";
import { ExportLog } from "./export-log.ts";
import { type ExportFault, ExportParts } from "./export-parts.ts";
import { linesOf } from "./lines-of.ts";
import type { OpenedExport } from "./open-export.ts";
import { type Counts, type LogBreak, LogFindings, type Unchecked } from "./report.ts";
import type { LogSource } from "./source.ts";

export type ExportInput = {
  /** The manifest, already opened with `openExport`. */
  opened: OpenedExport;
  /** The bytes of the export: its parts, one after another. */
  bytes: AsyncIterable<Uint8Array>;
  /** Where the lists of what was erased or expired lie, as `absences/…`. */
  source?: LogSource | null;
  /** Sections that are withheld are breaks. */
  complete?: boolean;
  maxBreaks?: number;
  sha256?: Sha256;
  /** Called after every 256 lines. */
  onProgress?: (progress: { done: number; rows: number; breaks: number }) => void;
  signal?: AbortSignal;
};

/** What was found of the lines of one log; `root` is that of the checkpoint, empty where it never had one. */
type ExportedLogReport = {
  origin: string;
  size: number;
  root: string;
  rows: number;
  first: number | null;
  last: number | null;
  /** Lines that the signed tree vouches for, and the sections of lines that are what their leaves commit. */
  proven: number;
  sections: number;
  absent: Counts["absent"];
  /** Sections said to be erased or expired by an entry, or a list, that a part of a log need not have. */
  unproven: number;
  breaks: LogBreak[];
  could_not_check: Unchecked[];
  /** Entries whose lines nothing signed vouches for, in inclusive runs. */
  unvouched: { from: number; to: number }[];
};

/**
 * What was found of an export. `ok` says that its bytes are those of the manifest, that each line is of an entry in the
 * signed tree with the sections that were sealed, and of an export of every entry that no other is missing than the manifest names. The
 * lines of a CSV export prove nothing: then it speaks of the bytes alone.
 */
export type ExportReport = {
  ok: boolean;
  id: string;
  org: string;
  format: "ndjson" | "csv";
  /** The manifest's word that every entry under the checkpoints is in it, with every section. */
  complete: boolean;
  /** Whether it was looked at each entry below the size of each log: it has a line, or is named by the manifest as missing. */
  whole: boolean;
  /** The manifest's word on entries that the service had lost. */
  missing: ExportManifest["missing"];
  rows: number;
  faults: ExportFault[];
  logs: ExportedLogReport[];
  /** The number of the line at which too many breaks, or the caller, ended it. */
  stopped_at: number | null;
};

/** A log of the export under way; of one whose entries are not all there, `unproven` counts what cannot be shown. */
type Part = { said: ExportedLog; log: ExportLog; findings: LogFindings; unproven: { sections: number } | null };

type Walk = { input: ExportInput; sha256: Sha256; parts: ReadonlyMap<string, Part>; claims: AbsenceClaims };

/** Lines between two looks at lists, and two words of progress. */
const STRIDE_LINES = 256;

/** Verifies the file of an export, offline, in one pass. Memory does not grow with it, but for a part and what is broken. */
export async function verifyExport(input: ExportInput): Promise<ExportReport> {
  const { manifest } = input.opened;
  const sha256 = input.sha256 ?? portableSha256;
  const file = new ExportParts(sha256, manifest);
  const walk = walkOf(input, sha256);
  async function* seen() {
    for await (const chunk of input.bytes) {
      file.push(chunk);
      yield chunk;
    }
  }
  let stoppedAt: number | null = null;
  if (manifest.format === "csv") for await (const _ of seen());
  else stoppedAt = await readLines(walk, linesOf(seen(), { maxBytes: VERIFIER_LINE_MAX_BYTES }));
  const { faults } = file;
  if (stoppedAt === null) {
    file.end();
    if (manifest.format === "ndjson" && faults.length === 0) faults.push(...falseWords(walk));
  }
  const logs = [...walk.parts.values()].map((part) => reportOf(part, input));
  const sound = logs.every(
    ({ breaks, could_not_check, unvouched }) => breaks.length + could_not_check.length + unvouched.length === 0,
  );
  const { id, org, format, complete, missing, rows } = manifest;
  const ok = sound && faults.length === 0 && stoppedAt === null;
  const whole = isWhole(manifest);
  return { ok, id, org, format, complete, whole, missing, rows, faults, logs, stopped_at: stoppedAt };
}

/** Whether an entry without a line is one too few; nobody can say where some are missing that are not named. */
function isWhole(manifest: ExportManifest): boolean {
  const { complete, format, missing } = manifest;
  return complete || (format === "ndjson" && !missing.more && hasEveryEntry(manifest));
}

function walkOf(input: ExportInput, sha256: Sha256): Walk {
  const { manifest, checkpoints } = input.opened;
  const { complete = false, maxBreaks = VERIFY_MAX_BREAKS } = input;
  const claims = new AbsenceClaims(sha256);
  const parts = new Map<string, Part>();
  for (const said of manifest.logs) {
    const findings = new LogFindings(maxBreaks);
    const checkpoint = checkpoints.get(said.log) ?? null;
    const genesis = genesisOf(input.opened, sha256, said.log);
    const missing = manifest.missing.runs
      .filter((run) => run.log === said.log)
      .map(({ first, last }) => ({ from: first, to: last }));
    const about = { said, checkpoint, whole: isWhole(manifest), missing, genesis };
    // What was filtered may well lack the causes, as the proof of one entry does.
    const unproven = manifest.complete ? null : { sections: 0 };
    claims.addLog(said.log, { size: said.size, findings, complete, unproven });
    parts.set(said.log, { said, log: new ExportLog(sha256, { about, findings, claims }), findings, unproven });
  }
  return { input, sha256, parts, claims };
}

/** What index 0 of a log has to name; null where what it continues is not in the export. */
function genesisOf({ checkpoints }: OpenedExport, sha256: Sha256, origin: string): string | null {
  const { first, number } = placeInOrg(origin);
  if (number === 1) return base64url(genesisPrev(sha256, { origin }));
  const before = checkpoints.get(originOfLog(first, number - 1)) ?? null;
  return before && base64url(genesisPrev(sha256, { origin, predecessor: checkpointText(before) }));
}

/** Reads all lines; answers the number of the one at which it stopped, null when it did not. */
async function readLines(walk: Walk, lines: AsyncIterable<string | null>): Promise<number | null> {
  const { input, parts, claims } = walk;
  const all = [...parts.values()];
  let last: Part | undefined = all[0];
  let done = 0;
  for await (const text of lines) {
    last = readLine(walk, text ?? "", last);
    if (++done % STRIDE_LINES > 0) continue;
    await claims.compare(input.source ?? null);
    const breaks = all.reduce((sum, { findings }) => sum + findings.breaks.length, 0);
    input.onProgress?.({ done, rows: input.opened.manifest.rows, breaks });
    if (input.signal?.aborted === true || all.some(({ findings, log }) => findings.full(log.weight()))) return done;
  }
  for (const { log } of all) log.end();
  await claims.compare(input.source ?? null);
  claims.finish(null);
  return null;
}

/** Reads a line; answers the log it is of, which is the `last` one where it does not say. */
function readLine({ sha256, parts }: Walk, text: string, last: Part | undefined): Part | undefined {
  const { record, proof } = readExportLine(text);
  const parsed: ParsedLeaf =
    record.leaf === null ? { kind: "malformed", why: "the line holds no leaf" } : parseLeaf(record.leaf);
  if (record.leaf === null || parsed.kind !== "leaf") {
    if (parsed.kind !== "leaf") last?.log.unread(parsed);
    return last;
  }
  const { leaf } = parsed;
  const part = parts.get(leaf.log);
  if (part === undefined) {
    const detail = "The leaf names a log that the export is not of.";
    last?.findings.add({ kind: "misrouted", index: leaf.index, actual: leaf.log, detail });
    return last;
  }
  part.log.line({ leaf, hash: entryHash(sha256, record.leaf), record, proof });
  return part;
}

/** Where a file is the one its manifest names, what that says of it has to be so. */
function falseWords({ parts, input }: Walk): ExportFault[] {
  const fault = (detail: string): ExportFault => ({ kind: "manifest_wrong", part: null, detail });
  const faults: ExportFault[] = [];
  let rows = 0;
  for (const { said, log } of parts.values()) {
    rows += log.rows;
    if (log.contradicted !== null) {
      faults.push(fault(`The file has entry ${log.contradicted} of ${said.log}, which the manifest says is missing.`));
    }
    if (said.rows === log.rows && said.first === log.first && said.last === log.last) continue;
    const found = `${log.rows} lines of ${said.log}, entries ${log.first} to ${log.last}`;
    faults.push(fault(`The file has ${found}; the manifest says ${said.rows}, ${said.first} to ${said.last}.`));
  }
  const { manifest } = input.opened;
  if (faults.length > 0) return faults;
  if (rows !== manifest.rows) return [fault(`The file has ${rows} lines, the manifest says ${manifest.rows}.`)];
  return manifest.complete ? lackingOf([...parts.values()], manifest).map(fault) : [];
}

/** What a file lacks that is said to be complete, of all an org has: a log before the last, sections that it holds back. */
function lackingOf(parts: readonly Part[], { missing }: ExportManifest): string[] {
  const numbers = new Set(parts.map(({ said }) => placeInOrg(said.log).number));
  const last = Math.max(0, ...numbers);
  const logs = Array.from({ length: last }, (_, n) => n + 1).filter((number) => !numbers.has(number));
  const withheld = parts.reduce((sum, { findings }) => sum + findings.counts.absent.withheld, 0);
  return [
    ...(missing.entries === 0 ? [] : [`The manifest says complete, and that ${missing.entries} entries are missing.`]),
    ...logs.map((number) => `The manifest says complete, and log ${number} of the org is not in it.`),
    ...(withheld === 0 ? [] : [`The manifest says complete, and ${withheld} sections are withheld.`]),
  ];
}

function reportOf({ said, log, findings, unproven }: Part, { opened }: ExportInput): ExportedLogReport {
  const { breaks, couldNotCheck, counts } = findings;
  const root = opened.checkpoints.get(said.log)?.root;
  const { entries: proven, sections, absent } = counts;
  return {
    origin: said.log,
    size: said.size,
    root: root === undefined ? "" : base64(root),
    rows: log.rows,
    first: log.first,
    last: log.last,
    proven,
    sections,
    absent,
    unproven: unproven?.sections ?? 0,
    breaks: breaks.sort((a, b) => (a.index ?? -1) - (b.index ?? -1)),
    could_not_check: couldNotCheck,
    unvouched: log.unvouched,
  };
}
