import { ACTION_SEEN_MAX_ROWS, COUNTED_MAX_GROUPS, COUNTED_MAX_ROWS } from "../limits.ts";

/** UTC days of sequencing, YYYY-MM-DD, both included. */
export type Days = { from: string; to: string };

export type CounterColumn = "day" | "category" | "action" | "target_types" | "result";

/** How many entries, and how they ended; first and last day among them. */
export type Tally = {
  count: number;
  success: number;
  failure: number;
  denied: number;
  first_day: string;
  last_day: string;
};

/** `value` has one text for each column that was asked for. */
export type Group = Tally & { value: string[] };

/**
 * `next`: the index of the first entry that is not counted yet. `too_wide`: more counter rows than one question reads, or
 * more groups.
 */
export type Counted = { kind: "counted"; groups: Group[]; next: number } | { kind: "too_wide" };

/** The entries of one org number in its cell, by the columns asked for: bounded work, exact or not at all. */
export async function readCounters(
  cell: D1Database,
  orgNumber: number,
  { by, days }: { by: readonly CounterColumn[]; days: Days },
): Promise<Counted> {
  const range = "from counter where org_number = ?1 and day >= ?2 and day <= ?3 order by day desc";
  const columns = by.map((name, n) => `${name} as value_${n}`).join(", ");
  const [cut, found, fence] = await cell.batch<Record<string, string | number>>([
    cell.prepare(`select day ${range} limit 1 offset ?4`).bind(orgNumber, days.from, days.to, COUNTED_MAX_ROWS),
    cell
      .prepare(
        `select ${columns}, sum(count) as count, sum(iif(result = 'success', count, 0)) as success,
           sum(iif(result = 'failure', count, 0)) as failure, sum(iif(result = 'denied', count, 0)) as denied,
           min(day) as first_day, max(day) as last_day
         from (select * ${range} limit ?4) group by ${by.join(", ")} limit ?5`,
      )
      .bind(orgNumber, days.from, days.to, COUNTED_MAX_ROWS, COUNTED_MAX_GROUPS + 1),
    cell.prepare("select next from cursor where org_number = ?1").bind(orgNumber),
  ]);
  const rows = found?.results ?? [];
  const partly = cut?.results.length !== 0;
  if (partly || rows.length > COUNTED_MAX_GROUPS) return { kind: "too_wide" };
  const groups = rows.map((row) => {
    const { count, success, failure, denied, first_day, last_day } = row as unknown as Tally;
    const value = by.map((_, n) => String(row[`value_${n}`]));
    return { value, count, success, failure, denied, first_day, last_day };
  });
  return { kind: "counted", groups, next: Number(fence?.results[0]?.["next"] ?? 0) };
}

/** First and last day of each action with each schema version of one org number. */
export async function readSeen(
  cell: D1Database,
  orgNumber: number,
): Promise<{ action: string; version: number; first_day: string; last_day: string }[]> {
  const { results } = await cell
    .prepare("select action, version, first_day, last_day from action_seen where org_number = ?1 limit ?2")
    .bind(orgNumber, ACTION_SEEN_MAX_ROWS + 1)
    .all<{ action: string; version: number; first_day: string; last_day: string }>();
  return results;
}
