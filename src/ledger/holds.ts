import { HOLDS_RELEASED_MAX_SHOWN } from "../limits.ts";
import type { Hold, HoldScope, Holds, StandingHold } from "../schema/hold.ts";

type Row = {
  id: string;
  scope: string;
  reason: string;
  key: string;
  at: number;
  changed: number;
  released: string | null;
};

/**
 * The holds that stand. Their version is the position of the newest entry that placed or released one: positions count
 * through all logs of the org, and after a roll-forward each entry has its own again.
 */
export function loadHolds(sql: SqlStorage): Holds {
  const rows = sql.exec<Row>("select * from hold where released is null order by at, id").toArray();
  const { version } = sql.exec<{ version: number }>("select coalesce(max(changed), 0) as version from hold").one();
  return { version, standing: rows.map(standingOf) };
}

/** All that stand, then those released last. */
export function listHolds(sql: SqlStorage): Hold[] {
  const rows = sql.exec<Row>("select * from hold order by released is not null, changed desc");
  return [...rows].map(holdOf);
}

export function findHold(sql: SqlStorage, id: string): Hold | null {
  const [row] = sql.exec<Row>("select * from hold where id = ?", id).toArray();
  return row === undefined ? null : holdOf(row);
}

/** Enters a hold once; `position` is that of the entry which says so. */
export function enterHold(
  sql: SqlStorage,
  { id, reason, by, at, position, ...scope }: HoldScope & Entered & { reason: string },
): void {
  const { query, log, after_index, before_index } = scope;
  sql.exec(
    "insert into hold (id, scope, reason, key, at, placed, changed) values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
    ...[id, JSON.stringify({ query, log, after_index, before_index }), reason, by, at, position, position],
  );
}

/** Ends one that stands. The log keeps every hold; lists show those released last. */
export function endHold(sql: SqlStorage, { id, reason, by, at, position }: Entered & { reason: string }): void {
  const released = JSON.stringify({ reason, by, at: new Date(at).toISOString() });
  sql.exec("update hold set released = ?, changed = ? where id = ? and released is null", released, position, id);
  sql.exec(
    `delete from hold where id in
       (select id from hold where released is not null order by changed desc limit -1 offset ?)`,
    HOLDS_RELEASED_MAX_SHOWN,
  );
}

type Entered = { id: string; by: string; at: number; position: number };

function standingOf({ id, scope, reason, key, at }: Row): StandingHold {
  return { id, ...(JSON.parse(scope) as HoldScope), reason, by: key, at: new Date(at).toISOString() };
}

function holdOf(row: Row): Hold {
  const { released } = row;
  return { ...standingOf(row), released: released === null ? null : (JSON.parse(released) as Hold["released"]) };
}
