import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { assert } from "../errors.ts";
import { cursor } from "./cell-tables.ts";
import { keyOf } from "./placement.ts";

export { emptyRange } from "./empty-range.ts";
export { type ProjectableEntry, projectEntries } from "./project-entries.ts";

/**
 * Allocates the number of a log in this cell, or finds it, and lets the fence stand at `first_index`, the first entry that
 * is projected here. Called again, it answers the same number and never moves a fence back.
 */
export async function openRange(
  cell: D1Database,
  { log, first_index }: { log: string; first_index: number },
): Promise<number> {
  const results = await cell.batch<{ org_number: number }>([
    cell.prepare("insert into org_number (log) values (?1) on conflict (log) do nothing").bind(log),
    cell
      .prepare(
        `insert into cursor (org_number, log, next) select org_number, log, ?2 from org_number where log = ?1
         on conflict (org_number) do update set next = excluded.next, head_mac = null where excluded.next > next`,
      )
      .bind(log, first_index),
    cell.prepare("select org_number from org_number where log = ?1").bind(log),
  ]);
  const orgNumber = results[2]?.results[0]?.org_number;
  assert(orgNumber !== undefined, "a log just entered has a number");
  keyOf(orgNumber, first_index);
  return orgNumber;
}

/** How far a log is projected: the index of the first entry that is not, and the ledger's word for the log up to there. */
export type Fence = { next: number; head_mac: string | null };

/** The fence of an org number; null when the cell knows no such number. */
export async function readFence(cell: D1Database, orgNumber: number): Promise<Fence | null> {
  const row = await drizzle(cell)
    .select({ next: cursor.next, head_mac: cursor.head_mac })
    .from(cursor)
    .where(eq(cursor.org_number, orgNumber))
    .get();
  return row ?? null;
}
