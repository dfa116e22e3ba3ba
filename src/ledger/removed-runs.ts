import { readAbsenceList } from "../archive/absence-list.ts";
import { type AbsenceList, absenceListHash, parseAbsenceList } from "../chain/absence-list.ts";
import { SEGMENT_MAX_ENTRIES } from "../limits.ts";
import { sha256 } from "../sha256.ts";
import type { Core } from "./core.ts";
import { listsOfRemovals } from "./under-way.ts";

/** Indexes `[from, to)`. */
type Run = { from: number; to: number };

/**
 * Where entries of this log may have lost something by a removal that this ledger knows of: the indexes of the lists, those no further apart than a
 * segment is long as one run. A list that R2 does not have may name anything.
 */
export async function removedRuns(core: Core): Promise<Run[]> {
  const { state, storage } = core;
  const indexes = new Set<number>();
  for (const hash of listsOfRemovals(storage.sql, state.earlier.length + 1)) {
    const list = await absenceListOf(core, hash);
    if (list === null) return [{ from: 0, to: state.archived }];
    for (const index of list.keys()) indexes.add(index);
  }
  const runs: Run[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && index < last.to + SEGMENT_MAX_ENTRIES) last.to = index + 1;
    else runs.push({ from: index, to: index + 1 });
  }
  return runs;
}

/** A list that causes of this log commit to; null when R2 does not have exactly that. */
export async function absenceListOf({ config, state }: Core, hash: string): Promise<AbsenceList | null> {
  const text = await readAbsenceList(config.archive, { log: state.org.log, sha256: hash });
  return text !== null && absenceListHash(sha256, text) === hash ? parseAbsenceList(text) : null;
}
