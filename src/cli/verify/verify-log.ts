import { noteText } from "../../chain/note/note.ts";
import { hex } from "../../chain/encoding.ts";
import { formatVkey } from "../../chain/note/note-key.ts";
import { parseCheckpoint, openCheckpoint, type OpenedCheckpoint } from "../../verifier/index.ts";
import { type KeptCheckpoint, type LogReport, verifyLog } from "../../verifier/verify-log.ts";
import type { LogSource } from "../../verifier/source.ts";
import { NOTE_MAX_BYTES } from "../../limits.ts";
import { sha256 } from "../../sha256.ts";
import { EXIT, type ExitCode, failed, type Outcome } from "../outcome.ts";
import { count } from "../terminal/format.ts";
import { printable, printableJson } from "../terminal/printable.ts";
import { showProgress } from "../terminal/progress.ts";
import type { recordLines } from "./folder.ts";
import type { Job } from "./job.ts";
import { logText } from "./log-text.ts";
import { keepEvidence, remember } from "./memory.ts";
import { originOf, type Trust, trustFor } from "./trust.ts";

/** A log to verify: where it is read, what it must be called, and what there is of it. `live`: it is the log itself. */
export type LogTarget = {
  shown: string;
  live: boolean;
  source: LogSource;
  /** The origin its address says; null where an address says none. */
  named: string | null;
  has: { tiles: boolean; entries: boolean };
  records: ReturnType<typeof recordLines> | null;
  /** Why nothing comes, for the eye. */
  waiting: () => string | null;
  /** What to do about an answer that is no log. */
  remedy: (status: number | undefined) => string;
};

/** What a report rests on beside the log itself. */
export type LogVerdict = {
  report: LogReport;
  trust: Trust;
  cosigned: { name: string; timestamp: number }[];
  older: Older;
  /** Files with the checkpoints that contradict each other. */
  evidence: string[] | null;
  notRemembered: string | null;
};

/** `since`: whether a trusted key signed the checkpoint that was given; null when none was. */
type Older = { since: { name: string; signed: boolean } | null; remembered: "compared" | "newer" | "first" };

type Opened = Extract<OpenedCheckpoint, { ok: true }>;

/** Verifies a log from its files alone. */
export async function verifyLogAt(target: LogTarget, job: Job): Promise<Outcome<ExitCode>> {
  const read = await target.source.read("checkpoint", { maxBytes: NOTE_MAX_BYTES });
  if (read.kind !== "bytes") {
    const why = read.kind === "absent" ? "has no checkpoint" : `gives no checkpoint: ${read.why}`;
    const status = read.kind === "absent" ? 404 : read.status;
    return failed(`${printable(target.shown)} ${printable(why)}`, target.remedy(status));
  }
  const note = new TextDecoder().decode(read.bytes);
  const said = parseCheckpoint(noteText(note));
  if (said === null) return failed(`what lies at ${printable(target.shown)} is no checkpoint`, "check the address");
  const origin = originFor(target, { job, said: said.origin });
  if (!origin.ok) return origin;
  const trust = await trustFor(origin.value, { given: job.keys, folder: job.memory, source: target.source });
  if (!trust.ok) return trust;
  const opened = await openCheckpoint({ note, origin: origin.value, keys: trust.value.keys });
  if (!opened.ok && opened.kind === "malformed") {
    return failed(`the checkpoint cannot be read: ${opened.why.replace(/\.$/, "")}`, "get it again, whole");
  }
  if (!opened.ok) return refused(opened, { trust: trust.value, note, job });
  return carryOut(target, { job, trust: trust.value, opened, note });
}

/** Which log this must be: the one a key given names, else the one its address names, else what it calls itself. */
function originFor(target: LogTarget, { job, said }: { job: Job; said: string }): Outcome<string> {
  const given = originOf(job.keys);
  if (!given.ok) return given;
  const origin = given.value ?? target.named ?? said;
  if (origin === said) return { ok: true, value: origin };
  const what = `the log at ${printable(target.shown)} calls itself ${printable(said)}, not ${printable(origin)}`;
  const remedy =
    given.value === null
      ? "if that is the log you mean, say so with its key: --key 'VKEY'"
      : "give the key of that log, or name the other address";
  return failed(what, remedy);
}

/** A checkpoint that the log's key did not sign. */
async function refused(
  opened: Extract<OpenedCheckpoint, { ok: false }>,
  { trust, note, job }: { trust: Trust; note: string; job: Job },
): Promise<Outcome<ExitCode>> {
  const whose =
    trust.how === "given" ? "given with --key" : trust.how === "remembered" ? "remembered for it" : "the log serves";
  const detail = opened.kind === "bad_signature" ? opened.why : `The checkpoint is not signed by the key ${whose}.`;
  const report: LogReport = {
    ok: false,
    origin: trust.origin,
    size: 0,
    root: "",
    breaks: [{ kind: opened.kind === "other_log" ? "misrouted" : "bad_signature", index: null, detail }],
    could_not_check: [],
    unvouched: [],
    older: [],
    stopped_at: null,
    entries: 0,
    records: 0,
    sections: 0,
    sections_unseen: 0,
    beyond: 0,
    absent: { erased: 0, expired: 0, withheld: 0 },
  };
  const { memory } = trust;
  const evidence =
    memory === null ? null : await keepEvidence(job.memory, { origin: trust.origin, notes: [memory.checkpoint, note] });
  const older: Older = { since: null, remembered: "first" };
  return say({ report, trust, cosigned: [], older, evidence, notRemembered: null }, { job, elapsedMs: 0 });
}

type Run = { job: Job; trust: Trust; opened: Opened; note: string };

async function carryOut(target: LogTarget, run: Run): Promise<Outcome<ExitCode>> {
  const { job, trust, opened, note } = run;
  const kept = await olderOf(target, run);
  if (!kept.ok) return kept;
  const startedAt = performance.now();
  const seen = { done: 0, size: opened.checkpoint.size, breaks: 0 };
  const progress = showProgress(job.terminal.err, () => ({
    fraction: seen.size === 0 ? null : seen.done / seen.size,
    done: seen.done,
    unit: `of ${count(seen.size)} entries`,
    notes: [seen.breaks === 1 ? "1 break" : `${count(seen.breaks)} breaks`],
    waiting: target.waiting(),
  }));
  let report: LogReport;
  try {
    report = await verifyLog({
      source: target.source,
      checkpoint: opened.checkpoint,
      older: kept.value.older,
      records: target.records?.lines ?? null,
      has: target.has,
      predecessor: job.predecessor,
      complete: job.complete,
      sha256,
      onProgress: (now) => Object.assign(seen, now),
      signal: job.signal,
    });
  } finally {
    progress.stop();
  }
  const fault = target.records?.fault() ?? null;
  if (fault !== null) return failed(printable(fault), "get the file whole and run the same command");
  const { memory, origin } = trust;
  const contradicted = report.older.filter(({ grew }) => grew === false);
  const older = contradicted.map(({ name }) => (name === REMEMBERED ? memory?.checkpoint : job.since?.note) ?? "");
  const evidence = older.length === 0 ? null : await keepEvidence(job.memory, { origin, notes: [...older, note] });
  const notRemembered = await rememberLog(report, run);
  const cosigned = opened.cosigned.map(({ name, timestamp }) => ({ name, timestamp }));
  const verdict = { report, trust, cosigned, older: kept.value.how, evidence, notRemembered };
  return say(verdict, { job, elapsedMs: performance.now() - startedAt });
}

/** How the checkpoint remembered is called among the older ones. */
export const REMEMBERED = "The checkpoint remembered";

/** The older checkpoints this log must have grown from. */
async function olderOf(
  { live }: LogTarget,
  { job, trust, opened }: Run,
): Promise<Outcome<{ older: KeptCheckpoint[]; how: Older }>> {
  const older: KeptCheckpoint[] = [];
  let since: Older["since"] = null;
  if (job.since !== null) {
    const { name, note } = job.since;
    const said = parseCheckpoint(noteText(note)) ?? parseCheckpoint(note);
    if (said === null) return failed(`${name} is no checkpoint`, "give a file that was saved from …/checkpoint");
    if (said.origin !== trust.origin) {
      return failed(
        `${name} is of the log ${printable(said.origin)}, not ${printable(trust.origin)}`,
        "give one of this log",
      );
    }
    // Anybody can write one that is not signed: it is compared as well, but it is no word of the log.
    since = { name, signed: (await openCheckpoint({ note, origin: trust.origin, keys: trust.keys })).ok };
    older.push({ name, size: said.size, root: said.root });
  }
  const { memory } = trust;
  if (memory === null) return { ok: true, value: { older, how: { since, remembered: "first" } } };
  const said = parseCheckpoint(noteText(memory.checkpoint));
  if (said === null || said.origin !== trust.origin) {
    return failed(
      `what is remembered of this log is damaged (${memory.path})`,
      "look at it; removing it makes this a first meeting",
    );
  }
  // A copy in a folder may well be older than what was seen; the log itself may not.
  const compared = live || said.size <= opened.checkpoint.size;
  if (compared) older.push({ name: REMEMBERED, size: said.size, root: said.root });
  return { ok: true, value: { older, how: { since, remembered: compared ? "compared" : "newer" } } };
}

/** Remembers a checkpoint whose tree was seen to be there and to go on from all that was known. Answers why it could not. */
async function rememberLog(
  { breaks, older, could_not_check }: LogReport,
  { job, trust, opened, note }: Run,
): Promise<string | null> {
  const sound = breaks.every(({ index }) => index !== null) && older.every(({ grew }) => grew === true);
  if (!sound || could_not_check.length > 0) return null;
  const { origin, keys } = trust;
  const own = keys.filter(({ type }) => type === "ed25519").map(formatVkey);
  const seen_at = new Date().toISOString();
  return remember(job.memory, { origin, keys: own, checkpoint: note, size: opened.checkpoint.size, seen_at });
}

function say(verdict: LogVerdict, { job, elapsedMs }: { job: Job; elapsedMs: number }): Outcome<ExitCode> {
  const { report, trust } = verdict;
  const { out } = job.terminal;
  const exit = exitOf(report, job);
  if (job.json) {
    const keys = trust.keys.filter(({ type }) => type === "ed25519");
    const key = { how: trust.how, ids: keys.map(({ id }) => hex(id)), vkeys: keys.map(formatVkey) };
    const { cosigned, evidence, older } = verdict;
    const said = { ...report, ok: exit === EXIT.good, key, cosigned, since: older.since, evidence };
    out.write(`${printableJson(JSON.stringify(said))}\n`);
  } else out.write(logText(verdict, { elapsedMs, sink: out, complete: job.complete }));
  return { ok: true, value: exit };
}

function exitOf({ ok, breaks, unvouched, sections_unseen }: LogReport, { complete }: Job): ExitCode {
  if (breaks.length > 0 || unvouched.length > 0) return EXIT.findings;
  return ok && !(complete && sections_unseen > 0) ? EXIT.good : EXIT.failed;
}
