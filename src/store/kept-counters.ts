import { KEPT_DAY_MAX_ROWS } from "../limits.ts";

/** A day's counters and actions seen of one org number, by their columns. */
export type DayCounters = {
  counters: [category: string, action: string, target_types: string, result: string, count: number][];
  seen: [action: string, version: number][];
};

/**
 * What the entries of UTC days that are over count as, and the index below which all entries are counted at that moment. Of an
 * action seen, the days are known that were its first or last.
 */
export async function readDayCounters(
  cell: D1Database,
  { orgNumber, days }: { orgNumber: number; days: readonly string[] },
): Promise<{ next: number; days: DayCounters[] }> {
  const [fence, ...results] = await cell.batch<Record<string, string | number>>([
    cell.prepare("select next from cursor where org_number = ?1").bind(orgNumber),
    ...days.flatMap((day) => [
      cell
        .prepare(
          `select category, action, target_types, result, count from counter where org_number = ?1 and day = ?2
           order by category, action, target_types, result limit ?3`,
        )
        .bind(orgNumber, day, KEPT_DAY_MAX_ROWS + 1),
      cell
        .prepare(
          `select action, version from action_seen where org_number = ?1 and (first_day = ?2 or last_day = ?2)
           order by action, version`,
        )
        .bind(orgNumber, day),
    ]),
  ]);
  const read = days.map((day, n) => {
    const [counted, seen] = [results[2 * n]?.results ?? [], results[2 * n + 1]?.results ?? []];
    if (counted.length > KEPT_DAY_MAX_ROWS) throw new Error(`${day} has more than ${KEPT_DAY_MAX_ROWS} counters`);
    return {
      counters: counted.map((row): DayCounters["counters"][number] => [
        String(row["category"]),
        String(row["action"]),
        String(row["target_types"]),
        String(row["result"]),
        Number(row["count"]),
      ]),
      seen: seen.map((row): DayCounters["seen"][number] => [String(row["action"]), Number(row["version"])]),
    };
  });
  return { next: Number(fence?.results[0]?.["next"] ?? 0), days: read };
}

/** Makes a day's counters what they were; done again it changes nothing. */
export async function restoreDayCounters(
  cell: D1Database,
  { orgNumber, day, kept }: { orgNumber: number; day: string; kept: DayCounters },
): Promise<void> {
  await cell.batch([
    cell
      .prepare(
        `insert into counter (org_number, day, category, action, target_types, result, count)
         select ?1, ?2, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(?3) where true
         on conflict do update set count = excluded.count`,
      )
      .bind(orgNumber, day, JSON.stringify(kept.counters)),
    cell
      .prepare(
        `insert into action_seen (org_number, action, version, first_day, last_day)
         select ?1, value ->> 0, value ->> 1, ?2, ?2 from json_each(?3) where true
         on conflict do update set first_day = min(first_day, excluded.first_day), last_day = max(last_day, excluded.last_day)`,
      )
      .bind(orgNumber, day, JSON.stringify(kept.seen)),
  ]);
}
