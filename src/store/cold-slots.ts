import { LOG_MAX_ENTRIES } from "../limits.ts";
import { assertSlot } from "./slot.ts";

/**
 * Writes down that entries below `before` of a log have left this cell, or may; it never goes back. A cell that was set back
 * may have given the number to another log since: then nothing is written, and rows stay.
 */
export async function saveCooled(
  cell: D1Database,
  { log, org_number, before }: { log: string; org_number: number; before: number },
): Promise<void> {
  await cell
    .prepare(
      `insert into cooled (org_number, before) select org_number, ?2 from org_number where org_number = ?1 and log = ?3
       on conflict (org_number) do update set before = max(before, excluded.before)`,
    )
    .bind(org_number, before, log)
    .run();
}

/** Those of these slots that hold anything. */
export async function filledSlots(cell: D1Database, slots: readonly string[]): Promise<string[]> {
  if (slots.length === 0) return [];
  const columns = slots.map((slot) => {
    assertSlot(slot);
    return `exists (select 1 from entry_${slot}) or exists (select 1 from term_${slot}_docsize) as filled_${slot}`;
  });
  const row = await cell.prepare(`select ${columns.join(", ")}`).first<Record<string, number>>();
  return slots.filter((slot) => row?.[`filled_${slot}`] === 1);
}

/** A log with rows in a slot that are not known to be in R2; `log` is null for a number this cell never gave out. */
export type Uncovered = { org_number: number; log: string | null; last: number };

/** Logs that keep a slot from being dropped, by number, from the one after `after` on. Two seeks a log. */
export async function findUncovered(
  cell: D1Database,
  slot: string,
  { after, limit }: { after: number; limit: number },
): Promise<Uncovered[]> {
  const { results } = await cell
    .prepare(
      `${uncovered(slot, "where key >= (cast(?1 as integer) + 1) * SPAN")}
       select n as org_number, log, last from uncovered left join org_number on org_number.org_number = n
       limit cast(?2 as integer)`.replaceAll("SPAN", String(LOG_MAX_ENTRIES)),
    )
    .bind(after, limit)
    .all<Uncovered>();
  return results;
}

/**
 * Takes a slot's two tables out of the cell and makes them anew, empty, in one transaction that fails when they hold a row
 * that is not below what its log has in R2: the check and the drop cannot come apart. Answers whether it was dropped.
 */
export async function dropSlot(cell: D1Database, slot: string): Promise<boolean> {
  // `before` is never null, so one row that is not covered rolls everything back.
  const guard = `insert into cooled (org_number, before) ${uncovered(slot, "")} select n, null from uncovered limit 1`;
  try {
    await cell.batch(
      [
        guard.replaceAll("SPAN", String(LOG_MAX_ENTRIES)),
        `drop table entry_${slot}`,
        `drop table term_${slot}`,
        // As the migration of the slots has them.
        `CREATE TABLE \`entry_${slot}\` (\`key\` integer PRIMARY KEY NOT NULL, \`record\` text NOT NULL) STRICT`,
        `CREATE VIRTUAL TABLE \`term_${slot}\` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii')`,
      ].map((statement) => cell.prepare(statement)),
    );
    return true;
  } catch (error) {
    if (error instanceof Error && /NOT NULL constraint failed: cooled\.before/.test(error.message)) return false;
    throw error;
  }
}

/** The common tables of org numbers in a slot, from the first key of `from` on, that reach beyond what is in R2. */
function uncovered(slot: string, from: string): string {
  assertSlot(slot);
  return `with recursive held (n) as (
       select min(key) / SPAN from entry_${slot} ${from}
       union all
       select (select min(key) from entry_${slot} where key >= (n + 1) * SPAN) / SPAN from held where n is not null
     ),
     uncovered (n, last) as (
       select n, (select max(key) from entry_${slot} where key < (n + 1) * SPAN) - n * SPAN as last
       from held left join cooled on cooled.org_number = n
       where n is not null and last >= coalesce(before, 0)
     )`;
}
