import { noteText } from "../../chain/note/note.ts";
import { formatVkey } from "../../chain/note/note-key.ts";
import { parseCheckpoint, openCheckpoint, type OpenedCheckpoint } from "../../verifier/index.ts";
import { type KeptCheckpoint, type LogReport, verifyLog } from "../../verifier/verify-log.ts";
import type { AbsenceClaims } from "../../verifier/absence-claims.ts";
import type { LogSource } from "../../verifier/source.ts";
import { sha256 } from "../../sha256.ts";
import { failed, type Outcome } from "../outcome.ts";
import { count } from "../terminal/format.ts";
import { printable } from "../terminal/printable.ts";
import { showProgress } from "../terminal/progress.ts";
import { bareReport } from "./bare-report.ts";
import type { FoundLog } from "./find-log.ts";
import type { recordLines } from "./folder.ts";
import type { Job } from "./job.ts";
import { keepEvidence, remember } from "./memory.ts";
import { type Trust, trustFor } from "./trust.ts";

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
  /** The org's log of a number, when this is that of the number `own`; null when there is none, or nobody can say where. */
  other: (numbers: { own: number; number: number }) => Promise<LogTarget | null>;
};

/** An older checkpoint that somebody kept, and of which log it is. */
export type Since = KeptCheckpoint & { origin: string; note: string };

/** What is known of a log from its place among those of its org. */
export type Place = {
  origin: string;
  /** As `verifyLog` takes it. */
  predecessor: string | null | undefined;
  /** The log that continues this one. */
  continuedBy: string | null;
  /** The org's first log, where this run does not look at it and those up to this one. */
  unseen: string | null;
};

/** What a report rests on beside the log itself. `trust` is null where no key was come to. */
export type LogVerdict = {
  report: LogReport;
  place: Place;
  trust: Trust | null;
  cosigned: { name: string; timestamp: number }[];
  older: Older;
  /** Files with the checkpoints that contradict each other. */
  evidence: string[] | null;
  notRemembered: string | null;
};

/** `since`: whether a trusted key signed the checkpoint that was given; null when none was. */
type Older = { since: { name: string; signed: boolean } | null; remembered: "compared" | "newer" | "first" };

type Opened = Extract<OpenedCheckpoint, { ok: true }>;
/** `claims` are shared by the logs of an org. */
type Task = { job: Job; place: Place; since: Since | null; claims: AbsenceClaims };

/** Verifies one log by its checkpoint and files alone. */
export async function verifyLogAt({ target, note }: FoundLog, task: Task): Promise<Outcome<LogVerdict>> {
  const { job, place } = task;
  const shown = printable(target.shown);
  if (note === null) return failed(`${shown} has no checkpoint`, remedyForNone(target, place));
  const said = parseCheckpoint(noteText(note));
  if (said === null) return failed(`what lies at ${shown} is no checkpoint`, "check the address");
  const { origin } = place;
  if (said.origin !== origin) return failed(otherName(target, { said: said.origin, origin }), "ask whoever runs it");
  const trust = await trustFor(origin, { keys: job.keys, folder: job.memory, source: target.source });
  if (!trust.ok) return trust;
  const opened = await openCheckpoint({ note, origin, keys: trust.value.keys });
  if (!opened.ok && opened.kind === "malformed") {
    return failed(`the checkpoint cannot be read: ${opened.why.replace(/\.$/, "")}`, "get it again, whole");
  }
  if (!opened.ok) return { ok: true, value: await refused(opened, { ...task, trust: trust.value, note }) };
  return carryOut(target, { ...task, trust: trust.value, opened, note });
}

export function otherName({ shown }: LogTarget, { said, origin }: { said: string; origin: string }): string {
  return `the log at ${printable(shown)} calls itself ${printable(said)}, not ${printable(origin)}`;
}

function remedyForNone({ live, remedy }: LogTarget, { continuedBy }: Place): string {
  if (continuedBy !== null) return "nothing signed says what its entries were";
  return live ? "the first comes a minute after its first entry: try again then" : remedy(404);
}

/** A checkpoint that the log's key did not sign. */
async function refused(
  opened: Extract<OpenedCheckpoint, { ok: false }>,
  { job, place, trust, note }: Task & { trust: Trust; note: string },
): Promise<LogVerdict> {
  const whose =
    trust.how === "given" ? "given with --key" : trust.how === "remembered" ? "remembered for it" : "the log serves";
  const detail = opened.kind === "bad_signature" ? opened.why : `The checkpoint is not signed by the key ${whose}.`;
  const kind = opened.kind === "other_log" ? "misrouted" : "bad_signature";
  const report = bareReport(trust.origin, { breaks: [{ kind, index: null, detail }] });
  const { memory } = trust;
  const evidence =
    memory === null ? null : await keepEvidence(job.memory, { origin: trust.origin, notes: [memory.checkpoint, note] });
  const older: Older = { since: null, remembered: "first" };
  return { report, place, trust, cosigned: [], older, evidence, notRemembered: null };
}

type Run = Task & { trust: Trust; opened: Opened; note: string };

async function carryOut(target: LogTarget, run: Run): Promise<Outcome<LogVerdict>> {
  const { job, place, trust, opened, note } = run;
  const kept = await olderOf(target, run);
  if (!kept.ok) return kept;
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
      predecessor: place.predecessor,
      continued: place.continuedBy !== null,
      complete: job.complete,
      claims: run.claims,
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
  return { ok: true, value: { report, place, trust, cosigned, older: kept.value.how, evidence, notRemembered } };
}

/** How the checkpoint remembered is called among the older ones. */
export const REMEMBERED = "The checkpoint remembered";

/** The older checkpoints this log must have grown from. */
async function olderOf(
  { live }: LogTarget,
  { since: given, trust, opened }: Run,
): Promise<Outcome<{ older: KeptCheckpoint[]; how: Older }>> {
  const older: KeptCheckpoint[] = [];
  let since: Older["since"] = null;
  if (given?.origin === trust.origin) {
    const { name, note, size, root } = given;
    // Anybody can write one that is not signed: it is compared as well, but it is no word of the log.
    since = { name, signed: (await openCheckpoint({ note, origin: trust.origin, keys: trust.keys })).ok };
    older.push({ name, size, root });
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

/** Whether the checkpoint's tree was seen to be there, and to go on from all that was known. */
export function isSound({ breaks, older, could_not_check }: LogReport): boolean {
  const grown = older.every(({ grew }) => grew === true);
  return grown && breaks.every(({ index }) => index !== null) && could_not_check.length === 0;
}

/** Remembers a sound checkpoint. Answers why it could not. */
async function rememberLog(report: LogReport, { job, trust, opened, note }: Run): Promise<string | null> {
  if (!isSound(report)) return null;
  const { origin, keys } = trust;
  const own = keys.filter(({ type }) => type === "ed25519").map(formatVkey);
  const seen_at = new Date().toISOString();
  return remember(job.memory, { origin, keys: own, checkpoint: note, size: opened.checkpoint.size, seen_at });
}
