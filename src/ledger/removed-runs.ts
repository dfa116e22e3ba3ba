import { readAbsenceList } from "../archive/absence-list.ts";
import { type AbsenceList, absenceListHash, parseAbsenceList } from "../chain/absence-list.ts";
import { RETAKE_MAX_LISTS, SEGMENT_MAX_ENTRIES } from "../limits.ts";
import { sha256 } from "../sha256.ts";
import type { Core } from "./core.ts";
import { listsOfRemovals } from "./under-way.ts";

/** Indexes `[from, to)`. */
type Run = { from: number; to: number };

/**
 * Where entries of this log may have lost something by a removal that this ledger knows of: around the indexes of the lists. Everywhere, where R2 does
 * not have a list, or there are too many to be read.
 */
export async function removedRuns(core: Core): Promise<Run[]> {
  const { state, storage } = core;
  const everywhere = [{ from: 0, to: state.archived }];
  const hashes = listsOfRemovals(storage.sql, state.earlier.length + 1);
  if (hashes.length > RETAKE_MAX_LISTS) return everywhere;
  let runs: Run[] = [];
  for (const hash of hashes) {
    const list = await absenceListOf(core, hash);
    if (list === null) return everywhere;
    const named = [...list.keys()].map((index) => ({ from: index, to: index + 1 }));
    runs = joined([...runs, ...joined(named)]);
  }
  return runs;
}

/** Runs in order, those no further apart than a segment is long as one: a list of R2 begins that far before a run. */
function joined(runs: readonly Run[]): Run[] {
  const found: Run[] = [];
  for (const { from, to } of runs.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last !== undefined && from < last.to + SEGMENT_MAX_ENTRIES) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}

/** A list that causes of this log commit to; null when R2 does not have exactly that. */
export async function absenceListOf({ config, state }: Core, hash: string): Promise<AbsenceList | null> {
  const text = await readAbsenceList(config.archive, { log: state.org.log, sha256: hash });
  return text !== null && absenceListHash(sha256, text) === hash ? parseAbsenceList(text) : null;
}
