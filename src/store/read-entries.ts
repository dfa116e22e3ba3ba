import { READ_MAX_ROWS } from "../limits.ts";
import { type PageRow, pageStatement, type Row } from "./entry-page.ts";
import { type EntryFilter, matchOf } from "./match.ts";
import { indexOf, keyOf, type Place, rangeOf } from "./placement.ts";
import { SLOTS, slotsDescending } from "./slot.ts";
import type { TermKey } from "./token.ts";

/** The indexes `[low, high)` of one placement, and the months (see `monthOf`) they can have been sequenced in. */
export type PlacementRange = {
  placement: Place;
  low: number;
  high: number;
  months: { from: number; to: number };
};

/** A row and the slot it lies in, wherever it should be. */
export type StoredRow = Row & { slot: string };

/**
 * Every row at the indexes `[low, high)`, of all slots, highest index first; several may share an index. Nothing is skipped:
 * when it would be over `limit_bytes` (or READ_MAX_ROWS) it stops after a whole index, the first at least. So `[low, n)`,
 * where n is the lowest index answered, holds what is left, and an empty answer means that nothing is.
 */
export async function readEntries(
  cell: D1Database,
  { placement, low, high, limit_bytes }: { placement: Place; low: number; high: number; limit_bytes: number },
): Promise<StoredRow[]> {
  const bounds = rangeOf(placement.org_number, low, high);
  const limits = { order: "desc", limit: READ_MAX_ROWS, max_bytes: limit_bytes, force: true, match: null } as const;
  const pages = await cell.batch<PageRow>(SLOTS.map((slot) => pageStatement(cell, { slot, ...bounds }, limits)));
  const rows: (StoredRow & { key: number })[] = [];
  let whole = bounds.low;
  for (const [place, { results }] of pages.entries()) {
    const slot = SLOTS[place] as string;
    for (const { key, fits, record } of results) {
      if (fits === 1) rows.push({ key, slot, index: indexOf(placement.org_number, key), line: record ?? "" });
      else whole = Math.max(whole, key + 1);
    }
  }
  rows.sort((a, b) => b.key - a.key || a.slot.localeCompare(b.slot));
  return rows.filter((row) => row.key >= whole).map(({ key: _, ...row }) => row);
}

/** The row at an index, looked for in the slots of the months it can have been sequenced in, newest first. */
export async function readEntry(
  cell: D1Database,
  { placement, index, months }: { placement: Place; index: number; months: { from: number; to: number } },
): Promise<Row | null> {
  const key = keyOf(placement.org_number, index);
  const slots = slotsDescending({ fromMonth: months.from, toMonth: months.to });
  if (slots.length === 0) return null;
  const found = await cell.batch<{ record: string }>(
    slots.map((slot) => cell.prepare(`select record from entry_${slot} where key = ?1`).bind(key)),
  );
  const line = found.flatMap(({ results }) => results)[0]?.record;
  return line === undefined ? null : { index, line };
}

/**
 * Candidates for a filter that finds a few at most, such as an id: the slots of all months are looked through at once.
 * `limit` and `max_bytes` hold for each slot. Highest index first; the caller opens each and checks it.
 */
export async function findEntries(
  cell: D1Database,
  { placement, low, high, months }: PlacementRange,
  { termKey, filter, limit, max_bytes }: { termKey: TermKey; filter: EntryFilter; limit: number; max_bytes: number },
): Promise<Row[]> {
  const bounds = rangeOf(placement.org_number, low, high);
  const slots = slotsDescending({ fromMonth: months.from, toMonth: months.to });
  if (slots.length === 0) return [];
  const match = matchOf({ termKey, personal: false }, filter);
  const limits = { order: "desc", limit, max_bytes, force: true, match } as const;
  const pages = await cell.batch<PageRow>(slots.map((slot) => pageStatement(cell, { slot, ...bounds }, limits)));
  return pages
    .flatMap(({ results }) => results)
    .flatMap(({ key, record }) =>
      record === null ? [] : [{ index: indexOf(placement.org_number, key), line: record }],
    )
    .sort((a, b) => b.index - a.index);
}
