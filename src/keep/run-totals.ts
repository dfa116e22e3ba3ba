import { RETENTION_MAX_SHOWN } from "../limits.ts";
import type { RunTotals } from "../schema/retention.ts";
import type { Expired } from "./find-expired.ts";

export const NOTHING_YET: RunTotals = { entries: 0, sections: 0, held: 0, counts: [], first: [], causes: [] };

/** Adds what a segment gave to what a run has found; `show`: the first ones by name as well. */
export function addExpired(
  totals: RunTotals,
  { log, expired, held, show }: { log: number; expired: readonly Expired[]; held: number; show: boolean },
): RunTotals {
  const by = new Map(totals.counts.map((row) => [`${row.category} ${row.month}`, { ...row }]));
  const first = [...totals.first];
  let { entries, sections } = totals;
  for (const { index, category, keep_until, sequenced_at, sections: names } of expired) {
    const month = sequenced_at.slice(0, "2026-11".length);
    const row = by.get(`${category} ${month}`) ?? { category, month, entries: 0, sections: 0 };
    by.set(`${category} ${month}`, row);
    row.entries++;
    row.sections += names.length;
    entries++;
    sections += names.length;
    if (show && first.length < RETENTION_MAX_SHOWN) first.push({ log, index, category, keep_until });
  }
  return { ...totals, entries, sections, held: totals.held + held, counts: [...by.values()], first };
}
