import { QUARANTINE_NOTES_MAX_SHOWN, QUARANTINES_RELEASED_MAX_SHOWN } from "../limits.ts";
import type { Quarantine } from "../schema/reads.ts";

/** A window under quarantine: indexes from `from` on, below `to` (null: and all to come), of the log of this number. */
export type Standing = { id: string; log: number; from: number; to: number | null };

type Row = {
  id: string;
  log: number;
  first: number;
  past: number | null;
  reason: string;
  key: string;
  at: number;
  released: string | null;
  notes: string;
};
type Note = Quarantine["notes"][number];

export function loadStanding(sql: SqlStorage): Standing[] {
  const rows = sql.exec<Row>("select * from quarantine where released is null order by at, id");
  return [...rows].map(({ id, log, first, past }) => ({ id, log, from: first, to: past }));
}

/** All that stand, then those released last. */
export function listQuarantines(sql: SqlStorage): Quarantine[] {
  const rows = sql.exec<Row>("select * from quarantine order by released is not null, released_at desc, at, id");
  return [...rows].map(answerOf);
}

export function findQuarantine(sql: SqlStorage, id: string): Quarantine | null {
  const [row] = sql.exec<Row>("select * from quarantine where id = ?", id).toArray();
  return row === undefined ? null : answerOf(row);
}

/** Enters a quarantine once. */
export function enterQuarantine(
  sql: SqlStorage,
  { id, log, from, to, reason, by, at }: Standing & { reason: string; by: string; at: number },
): void {
  sql.exec(
    `insert into quarantine (id, log, first, past, reason, key, at, notes) values (?, ?, ?, ?, ?, ?, ?, '[]')
     on conflict do nothing`,
    ...[id, log, from, to, reason, by, at],
  );
}

/** Ends one that stands. The log keeps every quarantine; lists show those released last. */
export function endQuarantine(
  sql: SqlStorage,
  { id, reason, by, at }: { id: string; reason: string; by: string; at: number },
): void {
  const released = JSON.stringify({ reason, by, at: new Date(at).toISOString() });
  sql.exec("update quarantine set released = ?, released_at = ? where id = ? and released is null", released, at, id);
  sql.exec(
    `delete from quarantine where id in
       (select id from quarantine where released is not null order by released_at desc limit -1 offset ?)`,
    QUARANTINES_RELEASED_MAX_SHOWN,
  );
}

/** Adds a note; the last ones are shown, the log keeps all. */
export function noteQuarantine(
  sql: SqlStorage,
  { id, note, by, at }: { id: string; note: string; by: string; at: number },
): void {
  const notes = findQuarantine(sql, id)?.notes ?? [];
  const added: Note[] = [...notes, { note, by, at: new Date(at).toISOString() }];
  const text = JSON.stringify(added.slice(-QUARANTINE_NOTES_MAX_SHOWN));
  sql.exec("update quarantine set notes = ? where id = ?", text, id);
}

function answerOf({ id, log, first, past, reason, key, at, released, notes }: Row): Quarantine {
  return {
    id,
    log,
    from: first,
    to: past,
    reason,
    by: key,
    at: new Date(at).toISOString(),
    released: released === null ? null : (JSON.parse(released) as Quarantine["released"]),
    notes: JSON.parse(notes) as Note[],
  };
}
