import { ERASURE_HELD_MAX_SHOWN, ERASURE_MAX_RUNS } from "../limits.ts";
import type { Run } from "../export/withdraw.ts";
import type { Elsewhere, ErasureCause, Removed } from "../schema/erasure.ts";
import type { Removal } from "../schema/keep.ts";
import { sumOf } from "./gone-counts.ts";
import type { RemoveProgress } from "./remove.ts";

type Place = { log: number; index: number };

/** Entries under hold: how many, and the first of them. */
export type HeldEntries = { entries: number; indexes: Place[] };

/**
 * What of a log one list will name: its text so far, found from index `from` on while the holds of `version` stood (null: none were asked yet), and
 * the entries these kept. `unreadable`: entries that R2 does not have as they were stored; `names_left`: how often they call the subject something
 * that is not looked for.
 */
export type Chunk = {
  from: number;
  list: string;
  entries: number;
  held: HeldEntries;
  unreadable: number;
  names_left: number;
  version: number | null;
};

/**
 * How far an erasure is. `logs` is what there was when it began; all of it is searched, from `at` on. What is found goes, a list at a time;
 * then everything is searched again, for what the subject is called is known by then, until a round finds nothing more, no name either. Then it goes elsewhere.
 */
export type ErasureProgress = {
  phase: "search" | "seal" | "remove" | "elsewhere" | "end";
  round: number;
  logs: { number: number; log: string; size: number }[];
  at: Place;
  chunk: Chunk;
  /** Whether this round has found anything, or what else the subject is called. */
  found: boolean;
  /** What this round found under hold. */
  held: HeldEntries;
  /** Entries this round could not read. */
  unreadable: number;
  names: string[];
  names_left: number;
  /** Entries that this round could not look into: an export that was made before can still hold somebody of them. */
  blind: { expired: Run[]; unreadable: Run[] };
  /** What is being carried out; `ending`: no further than it has come, for the erasure is over. */
  removing: { removal: Removal; progress: RemoveProgress; ending: boolean } | null;
  causes: ErasureCause[];
  elsewhere: Elsewhere;
  /** Where the search through dead letters, then through evidence, goes on. */
  cursor: { of: "dead_letters" | "evidence"; after: string | null };
};

export const NONE_BLIND: ErasureProgress["blind"] = { expired: [], unreadable: [] };

export const NONE_HELD: HeldEntries = { entries: 0, indexes: [] };

/** A list of a log that begins with the entries from this index on. */
export function chunkFrom(from: number): Chunk {
  return { from, list: "", entries: 0, held: NONE_HELD, unreadable: 0, names_left: 0, version: null };
}

/** An erasure that begins, in logs as they are. */
export function progressIn(
  logs: ErasureProgress["logs"],
  { names, read_sessions }: { names: string[]; read_sessions: number },
): ErasureProgress {
  return {
    phase: "search",
    round: 1,
    logs,
    at: { log: 1, index: 0 },
    chunk: chunkFrom(0),
    found: false,
    held: NONE_HELD,
    unreadable: 0,
    names,
    names_left: 0,
    blind: NONE_BLIND,
    removing: null,
    causes: [],
    elsewhere: { exports: 0, dead_letters: 0, evidence: 0, read_sessions, held: 0 },
    cursor: { of: "dead_letters", after: null },
  };
}

/** What went by these causes. */
export function removedBy(causes: readonly ErasureCause[]): Removed {
  return { ...sumOf(causes), quoting: causes.reduce((sum, { quoting }) => sum + quoting, 0) };
}

/** Adds entries under hold; of many the first are named. */
export function withHeld(known: HeldEntries, more: HeldEntries): HeldEntries {
  const indexes = [...known.indexes, ...more.indexes].slice(0, ERASURE_HELD_MAX_SHOWN);
  return { entries: known.entries + more.entries, indexes };
}

/** Adds entries nobody can search, behind those that are known or beside the last of them. Runs less than `gap` apart become one, as do the last of too many: they say where such entries may be. */
export function withBlind(known: readonly Run[], more: Run, gap: number): Run[] {
  const last = known.at(-1);
  const near = last?.log === more.log && more.first <= last.last + gap;
  if (last === undefined || (!near && (last.log !== more.log || known.length < ERASURE_MAX_RUNS)))
    return [...known, more];
  const joined = { ...last, first: Math.min(last.first, more.first), last: Math.max(last.last, more.last) };
  return [...known.slice(0, -1), joined];
}

/** Without the entries from a place on: who reads on from there adds them again. */
export function blindBefore(runs: readonly Run[], { log, index }: Place): Run[] {
  return runs
    .filter((run) => run.log < log || (run.log === log && run.first < index))
    .map((run) => (run.log === log ? { ...run, last: Math.min(run.last, index - 1) } : run));
}
