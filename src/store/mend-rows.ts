import { keyOf, type Place, rangeOf, indexOf } from "./placement.ts";
import type { ProjectableEntry } from "./project-entries.ts";
import { assertSlot, SLOTS } from "./slot.ts";

/**
 * What becomes of the rows at one index: those in the slots `clear` go, entry and search index alike, and `put` is
 * entered. `when` asks the cell's fence: `below` it the entry must be there, `beyond` it nothing may be; a fence that moved
 * meanwhile (a rebuild, a projection) leaves the index as it is.
 */
export type Mend = {
  index: number;
  clear: readonly string[];
  put: (Pick<ProjectableEntry, "line" | "terms"> & { slot: string }) | null;
  when: "below" | "beyond" | "always";
};

/** Mends rows of one log in one transaction; called again, it changes nothing more. */
export async function mendRows(cell: D1Database, orgNumber: number, mends: readonly Mend[]): Promise<void> {
  await cell.batch(mends.flatMap((mend) => statementsOf(cell, orgNumber, mend)));
}

const FENCE = "(select next from cursor where org_number = ?2)";
const WHEN: Record<Mend["when"], string> = {
  below: `${FENCE} > cast(?3 as integer)`,
  beyond: `${FENCE} <= cast(?3 as integer)`,
  always: "?2 is not null and ?3 is not null",
};

function statementsOf(cell: D1Database, orgNumber: number, { index, clear, put, when }: Mend): D1PreparedStatement[] {
  const where = [keyOf(orgNumber, index), orgNumber, index];
  const condition = WHEN[when];
  const slots = new Set(put === null ? clear : [...clear, put.slot]);
  const statements = [...slots].flatMap((slot) => {
    assertSlot(slot);
    return [
      cell.prepare(`delete from entry_${slot} where key = cast(?1 as integer) and ${condition}`).bind(...where),
      cell.prepare(`delete from term_${slot} where rowid = cast(?1 as integer) and ${condition}`).bind(...where),
    ];
  });
  if (put === null) return statements;
  const insert = (into: string, text: string) =>
    cell.prepare(`insert into ${into} select cast(?1 as integer), ?4 where ${condition}`).bind(...where, text);
  return [
    ...statements,
    insert(`entry_${put.slot} (key, record)`, put.line),
    insert(`term_${put.slot} (rowid, x)`, put.terms),
  ];
}

/** Which slots hold a row of the search index for the indexes `[low, high)`. What is in such a row cannot be read. */
export async function readIndexed(
  cell: D1Database,
  { placement, low, high }: { placement: Place; low: number; high: number },
): Promise<Map<number, string[]>> {
  const bounds = rangeOf(placement.org_number, low, high);
  const found = await cell.batch<{ key: number }>(
    SLOTS.map((slot) =>
      cell
        .prepare(
          `select id as key from term_${slot}_docsize
           where id >= cast(?1 as integer) and id < cast(?2 as integer)`,
        )
        .bind(bounds.low, bounds.high),
    ),
  );
  const slots = new Map<number, string[]>();
  for (const [place, { results }] of found.entries()) {
    for (const { key } of results) {
      const index = indexOf(placement.org_number, key);
      slots.set(index, [...(slots.get(index) ?? []), SLOTS[place] as string]);
    }
  }
  return slots;
}
