import { deleteExportFiles, isExportFile } from "../archive/export.ts";
import { ok, refuse, type Result } from "../errors.ts";
import {
  EXPORT_LOST_LOOK_MAX_MS,
  EXPORT_LOST_LOOK_MS,
  EXPORT_LOST_SEGMENTS,
  EXPORT_LOST_WAIT_MS,
  EXPORT_MAX_PARTS,
  EXPORT_MISSING_SHOWN_RUNS,
  EXPORT_STEP_MAX_SEGMENTS,
  EXPORT_STEP_MS,
} from "../limits.ts";
import type { JobContext, Kind, Refused, Stepped } from "../jobs/kind.ts";
import { callLedger } from "../ledger/client.ts";
import { log as say } from "../log.ts";
import { count } from "../meter.ts";
import { matches } from "../query/matches.ts";
import { openRow } from "../query/row.ts";
import { quarantineAt } from "../query/spans.ts";
import { logOf } from "../query/logs.ts";
import { nameOf } from "../schema/caller.ts";
import type { ExportRequest, ExportResult } from "../schema/export.ts";
import type { LogGrant, ReadGrant } from "../schema/ledger.ts";
import type { EntryFilter } from "../store/match.ts";
import { sealEnding, sealRequested } from "./acts.ts";
import { beginExport } from "./begin.ts";
import { readSentFilter } from "../query/sent-filter.ts";
import { LineProver } from "./line-prover.ts";
import { isComplete, putManifest } from "./manifest.ts";
import { firstMissing, missingByOrigin, withMissing } from "./missing.ts";
import { openPart, PartWork } from "./part-work.ts";
import { expiryOf, withdrawnFor } from "./kept.ts";
import { permitStep, quarantinesOf } from "./permit-step.ts";
import { plainRecord } from "./plain-record.ts";
import type { ExportProgress } from "./progress.ts";
import { LineReader } from "./read-lines.ts";

type Step = Promise<Stepped<ExportProgress, ExportResult> | Refused>;

/** Copies what was asked for of an org's entries into files in R2, some of it a step. */
export const exportKind: Kind<ExportRequest, ExportProgress, ExportResult> = {
  async step(context, request, progress) {
    const { config, org, by } = context;
    const grant = await permitStep(config, org, by);
    if (!grant.ok) return grant;
    // What is withheld since is in the parts there are: they are made anew.
    const known = progress !== null && quarantinesOf(grant.value).every((id) => progress.quarantines.includes(id));
    if (!known) return begun(context, request, grant.value);
    if (progress.log < progress.logs.length) return readOn(context, request, { grant: grant.value, progress });
    if (progress.checked === progress.parts.length) return finish(context, request, progress);
    // What is not as it was stored is made anew as well.
    return (await arePartsWhole(context, progress)) ? { progress, result: null } : begun(context, request, grant.value);
  },

  async settle({ config, org, id }, _request, { state, by, error }) {
    await deleteExportFiles(config.archive, { org, id });
    const ending = state === "cancelled" ? "cancelled" : "failed";
    const sealed = await sealEnding(config, { org, id }, { by: by ?? "service", ending, metadata: { error } });
    if (!sealed.ok) throw new Error(sealed.refusal.detail);
  },

  lapse: {
    at: expiryOf,
    left: (result, now) => withdrawnFor(`It was kept for ${result.keep_days} days.`, { result, now }),
    clear: ({ config, org, id }) => deleteExportFiles(config.archive, { org, id }),
  },
};

async function begun(context: JobContext, request: ExportRequest, grant: ReadGrant): Step {
  const { config, org, id, by } = context;
  // That somebody takes entries out is in the log before the first of them is read.
  const sealed = await sealRequested(config, { org, id, by }, { request });
  if (!sealed.ok) return sealed;
  await deleteExportFiles(config.archive, { org, id });
  const progress = await beginExport(config, { org, by }, grant);
  return progress.ok ? { progress: progress.value, result: null } : progress;
}

/**
 * Reads on for about EXPORT_STEP_MS, until a part is full, or something is lost that is waited for, and stores what it found: a short part
 * is gone on with.
 */
async function readOn(
  context: JobContext,
  request: ExportRequest,
  { grant, progress }: { grant: ReadGrant; progress: ExportProgress },
): Step {
  const { config, org, id } = context;
  if (progress.parts.length >= EXPORT_MAX_PARTS && openPart(progress) === null) return TOO_LARGE;
  const filter = readSentFilter(request);
  if (!filter.ok) return filter;
  const work = await PartWork.open(config, { org, id }, { request, progress, prove: proverOf(context, progress) });
  const readers = progress.logs.map(
    (log) => new LineReader(config, org, { ...log, newest: log.number === grant.number }),
  );
  const until = Date.now() + EXPORT_STEP_MS;
  const { missing } = progress;
  let waits = false;
  for (let left = EXPORT_STEP_MAX_SEGMENTS; left > 0 && Date.now() < until; left--) {
    if (work.full || progress.log === progress.logs.length) break;
    const { entries } = progress.missing;
    const read = await readSome({ request, grant, progress, work, readers, filter: filter.value.filter });
    if (!read.ok) return read;
    waits = read.value === "waits";
    if (waits) break;
    if (progress.missing.entries > entries) left -= EXPORT_LOST_SEGMENTS;
  }
  const lost = progress.missing.entries - missing.entries;
  if (lost > 0) say("error", { message: "an export goes on without entries that are lost", org, export: id, lost });
  await work.store(config, { org, id }, { last: progress.log === progress.logs.length });
  return waits ? waitOn(progress) : { progress, result: null };
}

/** What is lost is looked for again after as long as it was waited for before. */
function waitOn(progress: ExportProgress): Stepped<ExportProgress, ExportResult> {
  const { waited_ms } = progress;
  const longest = Math.min(EXPORT_LOST_LOOK_MAX_MS, EXPORT_LOST_WAIT_MS - waited_ms);
  const wait_ms = Math.min(Math.max(waited_ms, EXPORT_LOST_LOOK_MS), longest);
  return { progress: { ...progress, waited_ms: waited_ms + wait_ms }, result: null, wait_ms, waiting: LOST };
}

const LOST =
  "Entries it needs are not in the archive as they were stored. It looks for them again for an hour in all, for the operator may bring them back, and goes on without what is lost then.";

const TOO_LARGE = refuse(
  "unprocessable",
  `An export has at most ${EXPORT_MAX_PARTS} parts, of 4 to 8 MB: ask for less at once, with from and to.`,
);

type Reading = {
  request: ExportRequest;
  grant: ReadGrant;
  progress: ExportProgress;
  work: PartWork;
  readers: LineReader[];
  filter: EntryFilter;
};

/** Takes the rows of the next segment, as far as they fit. `waits`: it is lost, and may still come back. */
async function readSome(reading: Reading): Promise<Result<"moved" | "waits">> {
  const { request, grant, progress, work, readers, filter } = reading;
  const [at, reader] = [progress.logs[progress.log], readers[progress.log]];
  if (at === undefined || reader === undefined || progress.index >= at.size) {
    progress.log++;
    progress.index = 0;
    return ok("moved");
  }
  const log = logOf(grant, at.number);
  if (!log.ok) return log;
  const found = await reader.from(progress.index);
  if (found.kind === "lost") {
    if (progress.waited_ms < EXPORT_LOST_WAIT_MS) return ok("waits");
    count("audit_segments_damaged_total");
  }
  if (found.kind !== "lines") {
    const next = Math.min(found.next ?? at.size, at.size);
    const run = { log: at.number, first: progress.index, last: next - 1 };
    progress.missing = withMissing(progress.missing, run);
    progress.index = next;
    return ok("moved");
  }
  for (const line of found.lines.slice(0, at.size - progress.index)) {
    const { index } = progress;
    const view = viewOf(log.value, index, request);
    const isPlain = filter.length === 0 && request.format === "ndjson" && view.quarantine === null;
    const record = isPlain ? plainRecord({ index, line }, view) : null;
    const row = record === null ? openRow({ index, line }, view) : null;
    if (record !== null) await work.add(at.number, { index, record, entry: null });
    else if (row?.kind !== "entry") return unreadable(at.log, index);
    else if (matches(filter, row.entry)) await work.add(at.number, { ...row, index });
    progress.index++;
    progress.read++;
    if (work.full) break;
  }
  return ok("moved");
}

function viewOf(log: LogGrant, index: number, { personal }: ExportRequest) {
  return { log: log.log, personal, quarantine: quarantineAt(log, index) };
}

function unreadable(log: string, index: number) {
  return refuse("unprocessable", `Entry ${index} of ${log} is of a format not known here, and nothing is left out.`);
}

/** Makes the prover of a log when it is first asked. */
function proverOf({ config, org, by }: JobContext, { logs }: ExportProgress) {
  const made = new Map<number, LineProver | null>();
  return async (number: number, index: number, leaf: string): Promise<Uint8Array[] | null> => {
    const log = logs.find((one) => one.number === number);
    if (log === undefined) throw new Error("rows are of logs that are exported");
    if (!made.has(number)) {
      const prover = await LineProver.of(config, { org, by }, log);
      if (!prover.ok) throw new Error(prover.refusal.detail);
      made.set(number, prover.value);
    }
    return (await made.get(number)?.prove(index, leaf)) ?? null;
  };
}

/** Looks for about EXPORT_STEP_MS whether the parts are in R2 as they were stored, before anything is signed. */
async function arePartsWhole({ config, org, id }: JobContext, progress: ExportProgress): Promise<boolean> {
  const until = Date.now() + EXPORT_STEP_MS;
  for (const part of progress.parts.slice(progress.checked)) {
    if (!(await isExportFile(config.archive, { org, id }, part))) return false;
    progress.checked++;
    if (Date.now() >= until) break;
  }
  return true;
}

/** Signs the manifest and seals that the export was made, with its numbers. */
async function finish({ config, org, id, by }: JobContext, request: ExportRequest, progress: ExportProgress): Step {
  const stored = await putManifest(config, { org, id }, { request, progress });
  const settings = await callLedger(config, org, async (ledger) => await ledger.settings(org, by, "events:read"));
  if (!settings.ok) return settings;
  const { large_export_rows } = settings.value;
  const { began_at, rows, bytes, read, missing, parts, quarantines } = progress;
  const logs = progress.logs.map(({ log, size, first, last, rows: held }) => ({ log, size, first, last, rows: held }));
  const manifest = { bytes: stored.bytes, sha256: stored.sha256 };
  const review = rows > large_export_rows;
  const lost = firstMissing(missingByOrigin(missing, progress.logs), EXPORT_MISSING_SHOWN_RUNS);
  const numbers = { rows, bytes, missing: lost, parts: parts.length, logs, manifest_sha256: manifest.sha256 };
  const metadata = { ...numbers, complete: isComplete(request, progress), ...(review ? { review } : {}) };
  const key = nameOf(by);
  const sealed = await sealEnding(config, { org, id }, { by: key, ending: "completed", metadata, as: stored.sha256 });
  if (!sealed.ok) return sealed;
  if (review) {
    const flag = { by: "service", ending: "flagged", metadata: { rows, large_export_rows, by: key } } as const;
    const flagged = await sealEnding(config, { org, id }, flag);
    if (!flagged.ok) return flagged;
  }
  const shares = progress.logs.map(({ number, first, last, rows: held }) => ({ number, first, last, rows: held }));
  const complete = isComplete(request, progress);
  const counts = { rows, bytes, entries: read, missing };
  const made = {
    began_at,
    keep_days: config.exportKeepDays,
    ...counts,
    logs: shares,
    parts,
    complete,
    quarantines,
    manifest,
    withdrawn: null,
  };
  return { progress, result: made };
}
