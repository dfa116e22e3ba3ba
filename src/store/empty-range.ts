import { assert } from "../errors.ts";
import { DELETE_CHUNK_ROWS, LOG_MAX_ENTRIES } from "../limits.ts";
import { forgetSeen } from "./action-seen.ts";
import { forgetCounterNames } from "./counter.ts";
import { rangeOf } from "./placement.ts";
import { SLOTS } from "./slot.ts";

/**
 * Takes everything of an org number out of its cell, whatever its index, so that it can be projected anew from
 * `first_index`. The fence goes back first: a crash leaves rows that are found by the next call, and a projection that comes
 * too early collides with them and is rolled back. Deletes about DELETE_CHUNK_ROWS a call; call until `done`.
 */
export async function emptyRange(
  cell: D1Database,
  orgNumber: number,
  { first_index }: { first_index: number },
): Promise<{ rows: number; done: boolean }> {
  const { low, high } = rangeOf(orgNumber, 0, LOG_MAX_ENTRIES);
  const moved = await cell
    .prepare("update cursor set next = ?2, head_mac = null where org_number = ?1")
    .bind(orgNumber, first_index)
    .run();
  assert(moved.meta.changes === 1, "a range that is emptied was opened");
  forgetCounterNames(cell);
  forgetSeen(cell);
  let rows = 0;
  for (const slot of SLOTS) {
    const deleted = await cell.batch([
      deletion(cell, { table: `entry_${slot}`, key: "key" }).bind(low, high, DELETE_CHUNK_ROWS - rows),
      deletion(cell, { table: `term_${slot}`, key: "rowid" }).bind(low, high, DELETE_CHUNK_ROWS - rows),
    ]);
    for (const result of deleted) rows += result.meta.rows_written;
    if (rows >= DELETE_CHUNK_ROWS) return { rows, done: false };
  }
  // What was seen is a chunk of its own at most, and never comes back before the counters are gone.
  const [counters, seen] = await cell.batch([
    cell.prepare(COUNTER_DELETION).bind(orgNumber, DELETE_CHUNK_ROWS),
    cell.prepare("delete from action_seen where org_number = ?1").bind(orgNumber),
  ]);
  const gone = (counters?.meta.rows_written ?? 0) + (seen?.meta.rows_written ?? 0);
  return { rows: rows + gone, done: gone === 0 };
}

function deletion(cell: D1Database, { table, key }: { table: string; key: string }): D1PreparedStatement {
  return cell.prepare(
    `delete from ${table} where ${key} in (
       select ${key} from ${table} where ${key} >= cast(?1 as integer) and ${key} < cast(?2 as integer) limit ?3
     )`,
  );
}

/** The oldest days together holding at least so many rows: the key has six parts, too many to delete by. */
const COUNTER_DELETION = `delete from counter where org_number = ?1 and day <= (
  select max(day) from (select day from counter where org_number = ?1 order by day limit ?2)
)`;
