import { assert } from "../errors.ts";
import { assertSlot } from "./slot.ts";

/** An entry as stored: its index in the log and its record line. */
export type Row = { index: number; line: string };
export type Order = "asc" | "desc";
/** Keys `[low, high)` of one slot. */
export type Span = { slot: string; low: number; high: number };

/** A row of a page statement; `fits` is 0 for those after the last that fits, which come without their records. */
export type PageRow = { key: number; through: number; fits: 0 | 1; record: string | null };

export type PageLimits = {
  order: Order;
  limit: number;
  max_bytes: number;
  /** Whether a first row larger than `max_bytes` comes all the same, so that a page is never stuck. */
  force: boolean;
  match: string | null;
};

/**
 * One page of a slot in one statement: keys and sizes of up to `limit + 1` rows first (a size is read without its record),
 * then the records of those that fit. A thousand entries of 100 kB never meet in memory. Numbers are cast since D1 binds
 * them as floating point, and FTS5 takes no bound from that.
 */
export function pageStatement(cell: D1Database, { slot, low, high }: Span, limits: PageLimits): D1PreparedStatement {
  assertSlot(slot);
  const order = ORDERS[limits.order];
  const hits =
    limits.match === null
      ? `select key from entry_${slot} where key >= cast(?1 as integer) and key < cast(?2 as integer)
         order by key ${order} limit ?3 + 1`
      : `select rowid as key from term_${slot} where term_${slot} match ?6 and rowid >= cast(?1 as integer)
         and rowid < cast(?2 as integer) order by rowid ${order} limit ?3 + 1`;
  const statement = cell.prepare(
    `with hit as materialized (${hits}),
     sized as (select hit.key, coalesce(octet_length(entry.record), 0) as bytes
       from hit left join entry_${slot} as entry on entry.key = hit.key),
     summed as (select key, bytes, sum(bytes) over so_far as through, row_number() over so_far as place
       from sized window so_far as (order by key ${order} rows unbounded preceding)),
     chosen as (select key, through, place <= ?3 and (through <= ?4 or (?5 and place = 1)) as fits
       from summed where through - bytes <= ?4 or place = 2)
     select key, through, fits,
       case when fits then (select record from entry_${slot} as entry where entry.key = chosen.key) end as record
     from chosen order by key ${order}`,
  );
  const numbers = [low, high, limits.limit, limits.max_bytes, limits.force ? 1 : 0];
  return limits.match === null ? statement.bind(...numbers) : statement.bind(...numbers, limits.match);
}

const ORDERS: Record<Order, string> = { asc: "asc", desc: "desc" };

/** First and last key of each slot within `[low, high)`, in one statement of two seeks a slot. */
export function spansStatement(
  cell: D1Database,
  slots: readonly string[],
  { low, high }: { low: number; high: number },
): D1PreparedStatement {
  const columns = slots.flatMap((slot) => {
    assertSlot(slot);
    const where = "where key >= cast(?1 as integer) and key < cast(?2 as integer)";
    return [
      `(select min(key) from entry_${slot} ${where}) as low_${slot}`,
      `(select max(key) from entry_${slot} ${where}) as high_${slot}`,
    ];
  });
  return cell.prepare(`select ${columns.join(", ")}`).bind(low, high);
}

/** Reads the answer of `spansStatement`: the slots that hold anything, in the order they were asked for. */
export function spansOf(row: Record<string, number | null> | undefined, slots: readonly string[]): Span[] {
  assert(row !== undefined, "a select of values answers a row");
  return slots.flatMap((slot) => {
    const low = row[`low_${slot}`] ?? null;
    const high = row[`high_${slot}`] ?? null;
    return low === null || high === null ? [] : [{ slot, low, high: high + 1 }];
  });
}
