import { KEPT_DAY_MAX_ROWS } from "../limits.ts";
import { COUNTER_OTHER } from "./counter.ts";
import { jsonSlices } from "./json-slices.ts";

/** A day's counters and actions seen of one org number, by their columns. */
export type DayCounters = {
  counters: [category: string, action: string, target_types: string, result: string, count: number][];
  seen: [action: string, version: number][];
};

type Row = Record<string, string | number>;

/**
 * What the entries of UTC days that are over count as, and the index below which all entries are counted at that moment. Of a day with
 * more than KEPT_DAY_MAX_ROWS rows the largest stay apart, and the rest counts as other. Of an action seen, the days are known that were its
 * first or last.
 */
export async function readDayCounters(
  cell: D1Database,
  { orgNumber, days }: { orgNumber: number; days: readonly string[] },
): Promise<{ next: number; days: DayCounters[] }> {
  const [fence, ...results] = await cell.batch<Row>([
    cell.prepare("select next from cursor where org_number = ?1").bind(orgNumber),
    ...days.flatMap((day) => [
      cell.prepare(`${LARGEST_FIRST} limit ?3`).bind(orgNumber, day, KEPT_DAY_MAX_ROWS),
      cell
        .prepare(
          `select category, result, sum(count) as count from (${LARGEST_FIRST} limit -1 offset ?3) group by category, result`,
        )
        .bind(orgNumber, day, KEPT_DAY_MAX_ROWS),
      cell
        .prepare(
          `select action, version from action_seen where org_number = ?1 and (first_day = ?2 or last_day = ?2)
           order by action, version`,
        )
        .bind(orgNumber, day),
    ]),
  ]);
  const read = days.map((_, n) => {
    const [largest, others, seen] = results.slice(3 * n, 3 * n + 3).map(({ results: rows }) => rows);
    return {
      counters: countersOf(largest ?? [], others ?? []),
      seen: (seen ?? []).map((row): DayCounters["seen"][number] => [String(row["action"]), Number(row["version"])]),
    };
  });
  return { next: Number(fence?.results[0]?.["next"] ?? 0), days: read };
}

const LARGEST_FIRST = `select category, action, target_types, result, count from counter where org_number = ?1 and day = ?2
  order by count desc, category, action, target_types, result`;

function countersOf(largest: readonly Row[], others: readonly Row[]): DayCounters["counters"] {
  const counters = new Map<string, DayCounters["counters"][number]>();
  const rest = others.map((row): Row => ({ ...row, action: COUNTER_OTHER, target_types: COUNTER_OTHER }));
  for (const row of [...largest, ...rest]) {
    const names = ["category", "action", "target_types", "result"].map((name) => String(row[name]));
    const id = names.join("\0");
    const [category = "", action = "", target_types = "", result = ""] = names;
    const before = counters.get(id)?.[4] ?? 0;
    counters.set(id, [category, action, target_types, result, before + Number(row["count"])]);
  }
  return [...counters.values()];
}

/** Makes a day's counters what they were; done again it changes nothing, and what a crash leaves undone is done then. */
export async function restoreDayCounters(
  cell: D1Database,
  { orgNumber, day, kept }: { orgNumber: number; day: string; kept: DayCounters },
): Promise<void> {
  for (const rows of jsonSlices(kept.counters)) {
    await cell
      .prepare(
        `insert into counter (org_number, day, category, action, target_types, result, count)
         select ?1, ?2, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(?3) where true
         on conflict do update set count = excluded.count`,
      )
      .bind(orgNumber, day, rows)
      .run();
  }
  for (const rows of jsonSlices(kept.seen)) {
    await cell
      .prepare(
        `insert into action_seen (org_number, action, version, first_day, last_day)
         select ?1, value ->> 0, value ->> 1, ?2, ?2 from json_each(?3) where true
         on conflict do update set first_day = min(first_day, excluded.first_day), last_day = max(last_day, excluded.last_day)`,
      )
      .bind(orgNumber, day, rows)
      .run();
  }
}
