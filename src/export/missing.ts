import type { MissingEntries, MissingRun } from "../chain/export-manifest.ts";
import { EXPORT_MISSING_MAX_RUNS } from "../limits.ts";
import type { NumberedLog } from "../schema/export.ts";

export const NONE_MISSING: MissingEntries<number> = { entries: 0, runs: [], more: false };

/** Adds entries that are lost; what is read comes in the order of logs and indexes. The count stays exact when no more are named. */
export function withMissing(known: MissingEntries<number>, run: MissingRun<number>): MissingEntries<number> {
  const entries = known.entries + run.last - run.first + 1;
  const before = known.runs.at(-1);
  if (before?.log === run.log && before.last + 1 === run.first) {
    return { ...known, entries, runs: [...known.runs.slice(0, -1), { ...before, last: run.last }] };
  }
  if (known.runs.length === EXPORT_MISSING_MAX_RUNS) return { ...known, entries, more: true };
  return { ...known, entries, runs: [...known.runs, run] };
}

/** The same with the first `count` runs alone. */
export function firstMissing<L>({ entries, runs, more }: MissingEntries<L>, count: number): MissingEntries<L> {
  return { entries, runs: runs.slice(0, count), more: more || runs.length > count };
}

/** The same with each log by its origin, for who does not number an org's logs. */
export function missingByOrigin(
  { entries, runs, more }: MissingEntries<number>,
  logs: readonly NumberedLog[],
): MissingEntries<string> {
  const origins = new Map(logs.map(({ number, log }) => [number, log]));
  const named = runs.map(({ log, first, last }) => ({ log: origins.get(log) ?? "", first, last }));
  return { entries, runs: named, more };
}
