/** Entries `from` to `to`, both inclusive, that a store gave back. */
export type Source = { store: "R2" | "D1"; from: number; to: number };

/** A restore under way: the size the ledger was rewound to, what came from where since, and keys that cannot be had back. */
export type Restoring = { from_size: number; sources: Source[]; keys_lost: string[] };

/** The restore that is under way; null when none is. The table is made by the first one: most ledgers never need it. */
export function readMark(sql: SqlStorage): Restoring | null {
  if (sql.exec("select 1 from sqlite_master where name = 'restore'").toArray().length === 0) return null;
  const [row] = sql.exec<{ state: string }>("select state from restore").toArray();
  return row === undefined ? null : (JSON.parse(row.state) as Restoring);
}

/** Adds to the mark what the same transaction takes over; the first of them sets it. */
export function extendMark(sql: SqlStorage, size: number, { source, keys }: { source: Source; keys: string[] }): void {
  const mark = readMark(sql) ?? { from_size: size, sources: [], keys_lost: [] };
  const last = mark.sources.at(-1);
  if (last?.store === source.store && last.to + 1 === source.from) last.to = source.to;
  else mark.sources.push(source);
  mark.keys_lost.push(...keys);
  sql.exec("create table if not exists restore (only integer primary key check (only = 0), state text not null)");
  sql.exec("insert or replace into restore (only, state) values (0, ?)", JSON.stringify(mark));
}

/** Takes the mark away, in the transaction that seals what it says. */
export function clearMark(sql: SqlStorage): void {
  sql.exec("delete from restore");
}
