import type { Row } from "./entry-page.ts";
import { jsonSlices } from "./json-slices.ts";
import { indexOf, keyOf } from "./placement.ts";
import type { ProjectableEntry } from "./project-entries.ts";
import { assertSlot } from "./slot.ts";

/** What an entry that is in D1 is from now on: its line and its search tokens. */
export type Redacted = { index: number } & Pick<ProjectableEntry, "line" | "terms">;

type In = { orgNumber: number; slot: string };

/** The rows of a slot at these indexes, as far as there are any. */
export async function rowsAt(cell: D1Database, { orgNumber, slot }: In, indexes: readonly number[]): Promise<Row[]> {
  assertSlot(slot);
  const keys = JSON.stringify(indexes.map((index) => keyOf(orgNumber, index)));
  const found = await cell
    .prepare(`select key, record as line from entry_${slot} where key in (select value from json_each(?1))`)
    .bind(keys)
    .all<{ key: number; line: string }>();
  return found.results.map(({ key, line }) => ({ index: indexOf(orgNumber, key), line }));
}

/**
 * Puts lines and tokens in place of those that are there; called again, it changes nothing more. Each entry is changed in one transaction.
 * What has no row gets none: an entry that is not in D1 yet is projected as it is, and one of a month that has left stays away.
 */
export async function redactRows(cell: D1Database, { orgNumber, slot }: In, rows: readonly Redacted[]): Promise<void> {
  assertSlot(slot);
  const given = rows.map(({ index, line, terms }) => ({ key: keyOf(orgNumber, index), line, terms }));
  for (const some of jsonSlices(given)) await cell.batch(statementsOf(cell, slot, some));
}

/** What is there is asked of the entries: the index cannot say what it holds. */
function statementsOf(cell: D1Database, slot: string, rows: string): D1PreparedStatement[] {
  const given = `select value ->> 'key' as key, value ->> 'line' as line, value ->> 'terms' as terms from json_each(?1)`;
  const there = `with given as materialized (${given}), there as (select given.* from given join entry_${slot} using (key))`;
  return [
    `${there} delete from term_${slot} where rowid in (select key from there)`,
    `${there} insert into term_${slot} (rowid, x) select key, terms from there`,
    `with given as materialized (${given}) update entry_${slot} set record = given.line from given where entry_${slot}.key = given.key`,
  ].map((sql) => cell.prepare(sql).bind(rows));
}

/**
 * One bounded step of writing a slot's search index anew, by which the tokens of rows that were taken out leave its pages. `begun`: whether
 * an earlier step was the first of this round. Answers whether the round is done. Source: SQLite, FTS5, 6.8 "merge".
 */
export async function mergeTerms(
  cell: D1Database,
  slot: string,
  { begun, pages }: { begun: boolean; pages: number },
): Promise<boolean> {
  assertSlot(slot);
  // A negative number makes one level of everything first.
  const rank = begun ? pages : -pages;
  const merge = `insert into term_${slot} (term_${slot}, rank) values ('merge', cast(?1 as integer))`;
  const merged = await cell.prepare(merge).bind(rank).run();
  return begun && merged.meta.rows_written < MERGED_MIN_ROWS;
}

/** A step that had nothing to merge changes fewer rows than this. */
const MERGED_MIN_ROWS = 2;
