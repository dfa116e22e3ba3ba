import { type KeptPart, listKeptDays, putKeptCounters } from "../archive/kept-counters.ts";
import type { Config } from "../env.ts";
import { KEPT_DAYS_TOGETHER } from "../limits.ts";
import { cellOf } from "../query/logs.ts";
import { readDayCounters } from "../store/kept-counters.ts";
import type { RunLog } from "./due-segments.ts";

/**
 * Keeps the counters of days in R2, unless they are there: once an entry of a day has expired, nobody can make them from what
 * is left. The days have to be over, all their entries below the log's size. Throws when D1 has not counted all of these: it is being
 * made anew. That is never so of an earlier log, of which what D1 has lost is lost. `wanted` has with each day the index of one of its entries.
 */
export async function keepCounters(config: Config, of: RunLog, wanted: ReadonlyMap<string, number>): Promise<void> {
  const sorted = [...wanted.keys()].sort();
  const [from, to] = [sorted[0], sorted.at(-1)];
  if (from === undefined || to === undefined) return;
  const kept = await listKeptDays(config.archive, { log: of.log.log, from, to });
  const days = sorted.filter((day) => !kept.has(day));
  // A crash among these leaves some days kept, which is as good.
  for (let n = 0; n < days.length; n += KEPT_DAYS_TOGETHER) {
    await keepDays(config, of, { days: days.slice(n, n + KEPT_DAYS_TOGETHER), wanted });
  }
}

async function keepDays(
  config: Config,
  { log: { log, placements, size }, newest }: RunLog,
  { days, wanted }: { days: readonly string[]; wanted: ReadonlyMap<string, number> },
): Promise<void> {
  const parts = new Map<string, KeptPart[]>(days.map((day) => [day, []]));
  for (const [n, placement] of placements.entries()) {
    const { org_number: orgNumber, first_index } = placement;
    const read = await readDayCounters(cellOf(config, placement), { orgNumber, days });
    const until = Math.min(size, placements[n + 1]?.first_index ?? size);
    if (newest && read.next < until)
      throw new Error(`D1 has counted the entries of ${log} below ${read.next}, not ${until}`);
    for (const [nth, day] of days.entries()) {
      const counted = read.days[nth];
      // A day is one run of indexes: where it goes on over the end of a placement, the entry there is of the day.
      const at = Math.min(Math.max(wanted.get(day) ?? 0, first_index), until - 1);
      if (counted !== undefined && counted.counters.length > 0) parts.get(day)?.push({ at, ...counted });
    }
  }
  for (const day of days) await putKeptCounters(config.archive, { log, day, parts: parts.get(day) ?? [] });
}
