import { indexOf, keyOf } from "./placement.ts";
import { assertSlot, SLOTS } from "./slot.ts";

/** Rows of entries, or of their search index, in a slot that is of another month than theirs. */
export type Stray = { slot: string; indexes: number[] };

/** Looks in every slot for rows that belong into another one; `own` has the entries of each slot. */
export async function findStrays(
  cell: D1Database,
  orgNumber: number,
  own: ReadonlyMap<string, readonly number[]>,
): Promise<Stray[]> {
  const statements = SLOTS.map((slot) => {
    const others = [...own].filter(([of]) => of !== slot).flatMap(([, indexes]) => indexes);
    const sql = `with wanted as (select value as key from json_each(?1))
      select key from entry_${slot} where key in (select key from wanted)
      union select id from term_${slot}_docsize where id in (select key from wanted)`;
    return cell.prepare(sql).bind(keysOf(orgNumber, others));
  });
  const found = await cell.batch<{ key: number }>(statements);
  return found.flatMap(({ results }, n) => {
    const indexes = results.map(({ key }) => indexOf(orgNumber, key));
    return indexes.length === 0 ? [] : [{ slot: SLOTS[n] as string, indexes }];
  });
}

/** Takes rows out, with their search tokens; again, it changes nothing. */
export async function clearRows(cell: D1Database, orgNumber: number, strays: readonly Stray[]): Promise<void> {
  const statements = strays.flatMap(({ slot, indexes }) => {
    assertSlot(slot);
    const keys = keysOf(orgNumber, indexes);
    return [
      cell.prepare(`delete from entry_${slot} where key in (select value from json_each(?1))`).bind(keys),
      cell.prepare(`delete from term_${slot} where rowid in (select value from json_each(?1))`).bind(keys),
    ];
  });
  if (statements.length > 0) await cell.batch(statements);
}

function keysOf(orgNumber: number, indexes: readonly number[]): string {
  return JSON.stringify(indexes.map((index) => keyOf(orgNumber, index)));
}
