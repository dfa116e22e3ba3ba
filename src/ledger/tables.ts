/**
 * What a ledger keeps. Head: the newest staged row, else the newest segment, else genesis; there is no row of its own
 * for it. `print` is a keyed digest of what was sent and may be cleared; `hash` is an entry hash.
 */
const TABLES = [
  `create table org (
     only integer primary key check (only = 0),
     org text not null, log text not null, created_at integer not null,
     print_key blob not null, settings text not null
   )`,
  // `lines`: record lines joined by line feeds; `head`: entry hash of the last one, base64url.
  `create table staged (
     first integer primary key, count integer not null, bytes integer not null,
     head text not null, sequenced_at integer not null, lines text not null
   )`,
  `create table segment (
     first integer primary key, last integer not null, name text not null,
     head text not null, sequenced_at integer not null
   )`,
  `create table placement (
     first_index integer primary key, log text not null, cell text not null, org_number integer not null
   )`,
  // `hashes`: 32 bytes for each of the `count` entries from `first` on.
  `create table batch_receipt (
     batch text primary key, first integer not null, count integer not null, print blob,
     sequenced_at integer not null, hashes blob not null
   ) without rowid`,
  `create table id_receipt (
     id text primary key, position integer not null, print blob, sequenced_at integer not null, hash blob not null
   ) without rowid`,
  `create table org_key (
     id text primary key, name text not null, scopes text not null, hash text not null,
     created_at integer not null, revoked_at integer
   ) without rowid`,
  `create table read_session (
     id text primary key, key text not null, route text not null, filter text not null, opened_index integer not null,
     opened_at integer not null, last_at integer not null, answers integer not null, results integer not null,
     low integer, high integer, viewer text
   ) without rowid`,
  `create table refusal (
     key text not null, code text not null, count integer not null, first_at integer not null, last_at integer not null,
     primary key (key, code)
   ) without rowid`,
  // One row while D1 is being made anew: where the deletion stands.
  `create table rebuild (only integer primary key check (only = 0), started_at integer not null)`,
];

/**
 * Tables that came after ledgers existed: made when one starts that lacks them. `tree`: the entries under the newest
 * checkpoint, the bytes of the tree's edge tiles joined, the signed checkpoint, and when it was published.
 */
const LATER_TABLES = [
  `create table if not exists tree (
     only integer primary key check (only = 0),
     size integer not null, edge blob not null, note text not null, published_at integer not null
   )`,
  // What each witness cosigned last: the size, its signature line, and when it says it did.
  `create table if not exists cosignature (
     witness text primary key, size integer not null, line text not null, at integer not null
   ) without rowid`,
  // One row for each log that the newest one continues: `edge` as in `tree`, `leaves` under its open tile.
  `create table if not exists earlier_log (
     number integer primary key, state text not null, edge blob, leaves text not null
   )`,
  // A row for each switch that is closed: `Closed` as JSON.
  `create table if not exists closed_reads (switch text primary key, closed text not null) without rowid`,
  // Ranges of the org's logs that finished verifications covered; they never overlap. `prev`: the entry hash before the first.
  `create table if not exists verified (
     log integer not null, first integer not null, past integer not null, prev text, ok integer not null,
     breaks integer not null, key text not null, at integer not null,
     primary key (log, first)
   ) without rowid`,
  // How much of each of the org's logs, by number, is in R2 alone, and the entry that says so, in the log of number `entry_log`.
  `create table if not exists cold (
     log integer primary key, before integer not null, entry_log integer not null, entry integer not null
   )`,
  // `past` null: no end. `released` and `notes` as JSON.
  `create table if not exists quarantine (
     id text primary key, log integer not null, first integer not null, past integer, reason text not null,
     key text not null, at integer not null, released text, released_at integer, notes text not null
   ) without rowid`,
  // What is sealed once, by the name it is asked for under; `first`: the index of its first entry.
  `create table if not exists sealed_once (
     name text primary key, first integer not null
   ) without rowid`,
  // Removals under way, by the place of their cause; `log` whose entries the list names, `at` and `freed` as in `under-way.ts`.
  `create table if not exists removal (
     by_log integer not null, by integer not null, log integer not null, list text not null, at integer not null,
     freed integer,
     primary key (by_log, by)
   ) without rowid`,
  // One row while messages or findings go that no hold keeps: when they were let go of.
  `create table if not exists freed (only integer primary key check (only = 0), at integer not null)`,
  // `scope` and `released` as JSON; `placed`: the position of the entry that placed it, `changed` of the last one about it.
  `create table if not exists hold (
     id text primary key, scope text not null, reason text not null, key text not null, at integer not null,
     placed integer not null, changed integer not null, released text
   ) without rowid`,
];

/**
 * Columns that came after their tables. `viewer`: JSON, null for who reads with a key. `found`: the digest of the breaks.
 * `keep_until`: the earliest of the entries that have something to lose, `forever` where none has; null where nobody has looked.
 */
const LATER_COLUMNS = [
  { table: "read_session", column: "viewer", type: "text" },
  { table: "verified", column: "found", type: "text" },
  { table: "segment", column: "keep_until", type: "text" },
];

/** Whether `create` has run here; a ledger nobody created has no table and writes nothing. */
export function hasTables(sql: SqlStorage): boolean {
  return sql.exec("select 1 from sqlite_master where name = 'org'").toArray().length > 0;
}

export function createTables(sql: SqlStorage): void {
  for (const table of TABLES) sql.exec(table);
  addLaterTables(sql);
}

/** Brings a ledger that exists already to these tables; writes nothing where they are. */
export function addLaterTables(sql: SqlStorage): void {
  for (const table of LATER_TABLES) sql.exec(table);
  for (const { table, column, type } of LATER_COLUMNS) {
    if (!hasColumn(sql, table, column)) sql.exec(`alter table ${table} add column ${column} ${type}`);
  }
}

function hasColumn(sql: SqlStorage, table: string, column: string): boolean {
  return sql.exec("select 1 from pragma_table_info(?) where name = ?", table, column).toArray().length > 0;
}
