import { RETENTION_MAX_SHOWN } from "../limits.ts";
import type { RunTotals } from "../schema/retention.ts";
import type { Expired } from "./find-expired.ts";
import { addGone, type GoneCounts, joinCounts, sumOf } from "./gone-counts.ts";

export const NOTHING_YET: RunTotals = {
  entries: 0,
  sections: 0,
  held: 0,
  unreadable: 0,
  findings: 0,
  counts: [],
  first: [],
  causes: [],
};

/** Adds what of a segment would go, the first ones by name. */
export function addExpired(
  totals: RunTotals,
  { log, expired }: { log: number; expired: readonly Expired[] },
): RunTotals {
  const named = expired.map(({ index, category, keep_until }) => ({ log, index, category, keep_until }));
  const first = [...totals.first, ...named].slice(0, RETENTION_MAX_SHOWN);
  const gone = expired.map(({ sections, ...one }) => ({ ...one, sections: sections.length }));
  return { ...withCounts(totals, addGone(totals.counts, gone)), first };
}

/** Adds what went by one cause. */
export function addRemoved(
  totals: RunTotals,
  { gone, held, unreadable }: { gone: GoneCounts; held: number; unreadable: number },
): RunTotals {
  const { counts } = totals;
  const kept = { held: totals.held + held, unreadable: totals.unreadable + unreadable };
  return { ...withCounts(totals, joinCounts(counts, gone)), ...kept };
}

function withCounts(totals: RunTotals, counts: GoneCounts): RunTotals {
  return { ...totals, ...sumOf(counts), counts };
}
