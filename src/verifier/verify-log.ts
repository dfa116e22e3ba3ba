import { base64, base64url } from "../chain/encoding.ts";
import { genesisPrev } from "../chain/genesis.ts";
import { type Checkpoint, parseCheckpoint } from "../chain/note/checkpoint.ts";
import { portableSha256 } from "../chain/portable-sha256.ts";
import type { TreeHead } from "../chain/proof/verify-consistency.ts";
import type { Sha256 } from "../chain/sha256.ts";
import { VERIFY_MAX_BREAKS } from "../limits.ts";
import { AbsenceClaims } from "./absence-claims.ts";
import { EntryCheck } from "./entry-check.ts";
import type { RecordLine } from "./record-groups.ts";
import { type Counts, type LogBreak, LogFindings, type Unchecked } from "./report.ts";
import type { LogSource } from "./source.ts";
import { walkRecords } from "./walk-records.ts";
import { walkTiles } from "./walk-tiles.ts";

/** An older checkpoint of the same log that somebody kept; `name` says which, in reports. */
export type KeptCheckpoint = TreeHead & { name: string };

export type LogInput = {
  source: LogSource;
  /** What the log's key signed, already opened with `openCheckpoint`. */
  checkpoint: Checkpoint;
  /** Older checkpoints the log must have grown from. */
  older?: readonly KeptCheckpoint[];
  /** Record lines, about in order of their index; with them, sections are opened. */
  records?: AsyncIterable<RecordLine> | null;
  /** What the source has: the tree's tiles, and the entry bundles. Without tiles the records must be the whole log. */
  has?: { tiles: boolean; entries: boolean };
  /**
   * The text of the last checkpoint of the log that this one continues: none for an org's first log, null where it
   * is not known, so that the first link cannot be checked.
   */
  predecessor?: string | null | undefined;
  /** Another log continues this one, so nothing is added to it; the top of its tree may have been lost. */
  continued?: boolean;
  /** Sections that are withheld are breaks. */
  complete?: boolean;
  /** Shared by the logs of an org that are verified one after another: a section of one may be gone by a later one's entry. */
  claims?: AbsenceClaims;
  maxBreaks?: number;
  sha256?: Sha256;
  /** Called after every 256 entries. */
  onProgress?: (progress: { done: number; size: number; breaks: number }) => void;
  signal?: AbortSignal;
};

/**
 * What was found of a log up to its checkpoint. `ok` says that the whole of it was read, that the signed tree vouches
 * for all of it, and that nothing is broken or could not be checked. Sections that are absent for a cause, or that nobody
 * showed (`sections_unseen`), do not count against it, but are counted.
 */
export type LogReport = {
  ok: boolean;
  origin: string;
  size: number;
  root: string;
  breaks: LogBreak[];
  could_not_check: Unchecked[];
  /** Entries that the signed tree could not vouch for, in inclusive runs. */
  unvouched: { from: number; to: number }[];
  /** For each older checkpoint, whether the log only grew since; null when that could not be checked. */
  older: { name: string; size: number; grew: boolean | null }[];
  /** The index at which too many breaks, or the caller, ended it. */
  stopped_at: number | null;
} & Counts;

/** What a walk over a log needs, and where it puts what it finds. */
export type LogWalkState = {
  sha256: Sha256;
  input: LogInput;
  findings: LogFindings;
  check: EntryCheck;
  unvouched: LogReport["unvouched"];
  older: LogReport["older"];
  stoppedAt: number | null;
};

/**
 * Verifies a log against a checkpoint: each tile against the tree, each leaf against its tile, each link, the sections of
 * the records given, and those that are gone against the lists of what took them. It reads from the oldest entry on; memory does not grow with the log.
 */
export async function verifyLog(input: LogInput): Promise<LogReport> {
  const { checkpoint, has = { tiles: true, entries: true } } = input;
  const sha256 = input.sha256 ?? portableSha256;
  const { origin: log, size } = checkpoint;
  const findings = new LogFindings(input.maxBreaks ?? VERIFY_MAX_BREAKS);
  const { predecessor = "", complete = false } = input;
  const genesis = predecessor === null ? null : base64url(genesisPrev(sha256, { origin: log, predecessor }));
  if (genesis === null)
    findings.addUnchecked({ index: 0, why: "what it continues: the last checkpoint of the log before is not known" });
  const continues = parseCheckpoint(predecessor ?? "");
  const check = new EntryCheck(sha256, {
    log: { log, size, genesis, continues, complete },
    findings,
    claims: input.claims ?? new AbsenceClaims(sha256),
  });
  const state: LogWalkState = { sha256, input, findings, check, unvouched: [], older: [], stoppedAt: null };
  if (has.tiles) await walkTiles(state, { entries: has.entries });
  else await walkRecords(state);
  check.finish();
  // What was only found at its place now may be a cause.
  await check.compareLists(input.source);
  const { breaks, couldNotCheck, counts } = findings;
  const { unvouched, older, stoppedAt } = state;
  const report = {
    ok: false,
    origin: log,
    size,
    root: base64(checkpoint.root),
    breaks: breaks.sort((a, b) => (a.index ?? -1) - (b.index ?? -1)),
    could_not_check: couldNotCheck,
    unvouched,
    older,
    stopped_at: stoppedAt,
    ...counts,
  };
  return { ...report, ok: isWhole(report) };
}

/** Whether a report has nothing to complain of. Claims that wait for a later log may still add to it. */
export function isWhole({ breaks, could_not_check, unvouched, stopped_at }: LogReport): boolean {
  return breaks.length + could_not_check.length + unvouched.length === 0 && stopped_at === null;
}

/** Puts down how the log stands to an older checkpoint. `begins` is null when it could not be told. */
export function addOlder(state: LogWalkState, kept: KeptCheckpoint, begins: boolean | null): void {
  const { size } = state.input.checkpoint;
  const { name } = kept;
  state.older.push({ name, size: kept.size, grew: begins });
  if (begins === null) {
    state.findings.addUnchecked({ index: null, why: `whether the log grew from ${name}: what says so cannot be had` });
  } else if (!begins && kept.size > size) {
    const detail = `${name} says that this log had ${kept.size} entries; now it has ${size}.`;
    state.findings.add({ kind: "truncated", index: size, to: kept.size - 1, detail });
  } else if (!begins) {
    const detail =
      kept.size === size
        ? `${name} is of the same size, but of another tree: there are two histories.`
        : `The first ${kept.size} entries are not those of ${name}: the log was rewritten.`;
    state.findings.add({ kind: "diverged", index: null, expected: base64(kept.root), detail });
  }
}

/** Puts down entries that nothing vouches for, joined to the run before them. */
export function addUnvouched(state: LogWalkState, run: { from: number; to: number }): void {
  const last = state.unvouched.at(-1);
  if (last?.to === run.from - 1) last.to = run.to;
  else state.unvouched.push(run);
}
