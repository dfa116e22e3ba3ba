import type { ReadsClosed, SwitchOf, Window } from "../schema/reads.ts";

/** Why a switch is closed: since when, what has to be verified, and where the entry stands that says so. */
export type Closed = {
  since: number;
  reason: string;
  by: string;
  entry: { log: number; index: number };
  window: Window[];
  wish: Wish | null;
};

/** A key's wish to open in spite of breaks; `accepts` names them, so that nobody confirms others than were seen. */
export type Wish = { by: string; reason: string; at: number; accepts: string };

/** What stands of each switch; null is open. Only the ledger of org `platform` keeps the deployment's. */
export type Switches = Record<SwitchOf, Closed | null>;

export function loadSwitches(sql: SqlStorage): Switches {
  const rows = sql.exec<{ switch: SwitchOf; closed: string }>("select switch, closed from closed_reads").toArray();
  const closed = new Map(rows.map((row) => [row.switch, JSON.parse(row.closed) as Closed]));
  return { org: closed.get("org") ?? null, deployment: closed.get("deployment") ?? null };
}

/** Writes how a switch stands from here on. */
export function saveSwitch(sql: SqlStorage, of: SwitchOf, closed: Closed | null): void {
  if (closed === null) sql.exec("delete from closed_reads where switch = ?", of);
  else sql.exec("insert or replace into closed_reads (switch, closed) values (?, ?)", of, JSON.stringify(closed));
}

/** What everybody is told who may read and cannot. */
export function noticeOf(of: SwitchOf, { since, reason }: Closed): ReadsClosed {
  return { of, since: new Date(since).toISOString(), reason };
}
