import { HOLD_WAIT_MS, REMOVAL_FORGOTTEN_MS, REMOVAL_LATE_MS } from "../limits.ts";
import type { Removal, UnderWay } from "../schema/keep.ts";

/**
 * Removals under way: a row for each cause from the transaction that seals it until all is gone. `at`: when something was last done for it. `freed`:
 * when what lies in R2 alone was let go of, until it is gone from there.
 */
export function enterRemoval(
  sql: SqlStorage,
  { by_log, by, log, list }: UnderWay,
  { now, freed }: { now: number; freed: number | null },
): void {
  sql.exec(
    `insert into removal (by_log, by, log, list, at, freed) values (?, ?, ?, ?, ?, ?)
     on conflict do update set at = excluded.at, freed = excluded.freed`,
    ...[by_log, by, log, list, now, freed],
  );
}

/** What was let go of last is gone from R2 as well. */
export function endFreed(sql: SqlStorage, { by_log, by }: Pick<Removal, "by_log" | "by">): void {
  sql.exec("update removal set freed = null where by_log = ? and by = ?", by_log, by);
}

export function endRemoval(sql: SqlStorage, { by_log, by }: Pick<Removal, "by_log" | "by">): void {
  sql.exec("delete from removal where by_log = ? and by = ?", by_log, by);
}

/** Those that something was done for lately: what one leaves undone for longer is not excused by it any more. */
export function listUnderWay(sql: SqlStorage, now: number): UnderWay[] {
  return sql.exec<UnderWay>("select by_log, by, log, list from removal where at > ?", now - REMOVAL_LATE_MS).toArray();
}

/** Whether any is under way, however long nothing was done for it. */
export function isRemoving(sql: SqlStorage): boolean {
  return sql.exec("select 1 from removal limit 1").toArray().length > 0;
}

/** The lists of those that name entries of the log of this number. */
export function listsOfRemovals(sql: SqlStorage, log: number): string[] {
  return sql
    .exec<{ list: string }>("select distinct list from removal where log = ?", log)
    .toArray()
    .map(({ list }) => list);
}

/**
 * Forgets those that nothing was done for since before any moment this ledger may be set back to. One that goes on is entered again; a ledger set back to
 * before that would not know of it.
 */
export function forgetIdle(sql: SqlStorage, now: number): void {
  sql.exec("delete from removal where at <= ?", now - REMOVAL_FORGOTTEN_MS);
}

/** What is no entry is let go of. */
export function enterFreed(sql: SqlStorage, now: number): void {
  sql.exec("insert or replace into freed (only, at) values (0, ?)", now);
}

/** What is no entry, and was let go of last, is gone. */
export function leaveFreed(sql: SqlStorage): void {
  sql.exec("delete from freed");
}

/** Until when something may be leaving that the ledger's word has let go of already; 0 when nothing is. */
export function freedUntil(sql: SqlStorage): number {
  const { freed } = sql
    .exec<{ freed: number | null }>(
      "select max(at) as freed from (select freed as at from removal union all select at from freed)",
    )
    .one();
  return freed === null ? 0 : freed + HOLD_WAIT_MS;
}
