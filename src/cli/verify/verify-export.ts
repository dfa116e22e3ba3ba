import { dirname } from "node:path";
import { sameBytes } from "../../chain/bytes.ts";
import { formatVkey } from "../../chain/note/note-key.ts";
import { noteText } from "../../chain/note/note.ts";
import { sha256 } from "../../sha256.ts";
import { type ExportReport, openExport, parseCheckpoint, verifyExport } from "../../verifier/index.ts";
import type { OpenedExport } from "../../verifier/open-export.ts";
import type { LogBreak } from "../../verifier/report.ts";
import { openSource } from "../import/open-source.ts";
import { EXIT, type ExitCode, failed, type Outcome } from "../outcome.ts";
import { count } from "../terminal/format.ts";
import { printable, printableJson } from "../terminal/printable.ts";
import { showProgress } from "../terminal/progress.ts";
import type { ExportFile } from "./export-file.ts";
import { exportText } from "./export-text.ts";
import { folderSource } from "./folder.ts";
import type { Job } from "./job.ts";
import { keepEvidence, remember } from "./memory.ts";
import { faultText } from "./proof-text.ts";
import { originsOf, type Trust, trustFor } from "./trust.ts";

/** What is said of an export, and whom that rests on: the keys of its logs, oldest first. */
export type ExportVerdict = { report: ExportReport; trusts: Trust[]; elapsedMs: number };

/** Verifies the file of an export from its bytes and its manifest alone; lists of what is gone are looked for beside it. */
export async function verifyExportFile(file: ExportFile, job: Job): Promise<Outcome<ExitCode>> {
  const { shown, note } = file;
  if (job.since !== null || job.predecessor !== null) {
    return failed("an export does not show how the log grew", "leave out --since and --continues");
  }
  const trusts = await trustsOf(file, job);
  if (!trusts.ok) return trusts;
  const keys = trusts.value.flatMap((trust) => trust.keys);
  const opened = await openExport({ manifest: note, keys });
  const origin = file.said.logs.at(-1)?.log ?? shown;
  if (!opened.ok && opened.kind === "malformed") {
    return failed(`the manifest of ${shown} cannot be read: ${opened.why.replace(/\.$/, "")}`, "get it again, whole");
  }
  if (!opened.ok) return sayFault([{ kind: "bad_signature", index: null, detail: opened.why }], { origin, job });
  const other = await otherHistory(opened.export, { trusts: trusts.value, job });
  if (other !== null) return sayFault([other.found], { origin: other.origin, job, evidence: other.evidence });
  const startedAt = performance.now();
  const report = await readThrough(file, { opened: opened.export, job });
  if (!report.ok) return report;
  await rememberFirst(opened.export, { trusts: trusts.value, job });
  return say({ report: report.value, trusts: trusts.value, elapsedMs: performance.now() - startedAt }, job);
}

/** Whom to believe about each log that something of the export is signed by. */
async function trustsOf({ shown, said }: ExportFile, job: Job): Promise<Outcome<Trust[]>> {
  const given = originsOf(job.keys);
  if (!given.ok) return given;
  const logs = said.logs.filter(({ checkpoint }, n) => checkpoint !== null || n === said.logs.length - 1);
  const [other] = given.value;
  if (other !== undefined && !logs.some(({ log }) => given.value.includes(log))) {
    const what = `${shown} is of the org ${printable(said.org)}, the key of ${printable(other)}`;
    return failed(what, "give the key of a log that is in it");
  }
  const trusts: Trust[] = [];
  for (const { log } of logs) {
    const trust = await trustFor(log, { keys: job.keys, folder: job.memory, source: null });
    if (!trust.ok) return trust;
    trusts.push(trust.value);
  }
  return { ok: true, value: trusts };
}

/** A checkpoint remembered that is of the same size as one of these, and of another tree. */
async function otherHistory(
  { manifest, checkpoints }: OpenedExport,
  { trusts, job }: { trusts: readonly Trust[]; job: Job },
): Promise<{ origin: string; found: LogBreak; evidence: string[] | null } | null> {
  for (const { origin, memory } of trusts) {
    const known = memory === null ? null : parseCheckpoint(noteText(memory.checkpoint));
    const here = checkpoints.get(origin);
    if (known === null || !here || known.size !== here.size || sameBytes(known.root, here.root)) continue;
    const detail = "The checkpoint remembered of this size is of another tree: there are two histories of this log.";
    const signed = manifest.logs.find(({ log }) => log === origin)?.checkpoint ?? "";
    const evidence = await keepEvidence(job.memory, { origin, notes: [memory?.checkpoint ?? "", signed] });
    return { origin, found: { kind: "diverged", index: null, detail }, evidence };
  }
  return null;
}

async function readThrough(
  { path, shown }: ExportFile,
  { opened, job }: { opened: OpenedExport; job: Job },
): Promise<Outcome<ExportReport>> {
  const { rows } = opened.manifest;
  const seen = { done: 0, breaks: 0 };
  const progress = showProgress(job.terminal.err, () => ({
    fraction: rows === 0 ? null : Math.min(1, seen.done / rows),
    done: seen.done,
    unit: `of ${count(rows)} lines`,
    notes: [seen.breaks === 1 ? "1 break" : `${count(seen.breaks)} breaks`],
    waiting: null,
  }));
  let fault: string | null = null;
  async function* bytes() {
    try {
      yield* openSource({ path }).chunks;
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error);
    }
  }
  try {
    const source = folderSource(dirname(path));
    const report = await verifyExport({
      opened,
      bytes: bytes(),
      source,
      complete: job.complete,
      sha256,
      onProgress: (now) => Object.assign(seen, now),
      signal: job.signal,
    });
    if (fault === null) return { ok: true, value: report };
    return failed(`${shown} cannot be read: ${printable(fault)}`, "get the file whole and run the same command");
  } finally {
    progress.stop();
  }
}

/** Logs met for the first time are remembered. */
async function rememberFirst(
  { manifest }: OpenedExport,
  { trusts, job }: { trusts: readonly Trust[]; job: Job },
): Promise<void> {
  for (const { origin, keys: all, memory } of trusts) {
    const said = manifest.logs.find(({ log }) => log === origin);
    if (memory !== null || said === undefined || said.checkpoint === null) continue;
    const keys = all.filter(({ type, name }) => type === "ed25519" && name === origin).map(formatVkey);
    const seen_at = new Date().toISOString();
    await remember(job.memory, { origin, keys, checkpoint: said.checkpoint, size: said.size, seen_at });
  }
}

function sayFault(
  breaks: LogBreak[],
  { origin, job, evidence = null }: { origin: string; job: Job; evidence?: string[] | null },
): Outcome<ExitCode> {
  const { out } = job.terminal;
  if (job.json) out.write(`${printableJson(JSON.stringify({ ok: false, origin, breaks, evidence }))}\n`);
  else out.write(faultText(breaks, { origin, what: "this export does not hold", evidence, sink: out }));
  return { ok: true, value: EXIT.findings };
}

function say(verdict: ExportVerdict, job: Job): Outcome<ExitCode> {
  const { out } = job.terminal;
  const exit = exitOf(verdict.report, job);
  if (job.json) {
    const keys = verdict.trusts.map(({ origin, how, keys: all }) => {
      const vkeys = all.filter(({ type, name }) => type === "ed25519" && name === origin).map(formatVkey);
      return { origin, how, vkeys };
    });
    out.write(`${printableJson(JSON.stringify({ ...verdict.report, ok: exit === EXIT.good, keys }))}\n`);
  } else out.write(exportText(verdict, { sink: out, complete: job.complete }));
  return { ok: true, value: exit };
}

/** When every section was asked for, one of an entry that is missing, or whose cause is not part of the export, is left open. */
function exitOf({ ok, faults, logs, missing }: ExportReport, { complete }: Job): ExitCode {
  const broken = logs.some(({ breaks, unvouched }) => breaks.length + unvouched.length > 0);
  if (broken || faults.length > 0) return EXIT.findings;
  const open = missing.entries > 0 || logs.some(({ unproven }) => unproven > 0);
  return ok && !(complete && open) ? EXIT.good : EXIT.failed;
}
