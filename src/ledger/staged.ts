import type { Segment } from "../archive/segment.ts";
import { assert } from "../errors.ts";
import { TILE_WIDTH, openTileFrom } from "../chain/tile.ts";
import { TREE_KEPT_MAX_BYTES, TREE_KEPT_MAX_ENTRIES } from "../limits.ts";
import type { Core } from "./core.ts";
import { sequencedAtOf, type State } from "./state.ts";
import { transact } from "./transact.ts";

/** A staged row: `count` entries from `first` on, as record lines joined by line feeds. */
export type StagedRow = {
  first: number;
  count: number;
  bytes: number;
  head: string;
  sequenced_at: number;
  lines: string;
};

/**
 * Drops the staged rows that are both in D1 and in an archived segment; nothing else may. Those the tree wants next stay.
 * Bounded by `first`, so that only rows that go are read.
 */
export function dropStaged(core: Core): void {
  const { state, storage } = core;
  const bound = droppableTo(state);
  const dropped = transact(core, () => {
    const found = storage.sql
      .exec<{ entries: number; bytes: number }>(
        `select coalesce(sum(count), 0) as entries, coalesce(sum(bytes), 0) as bytes
         from staged where first < ?1 and first + count <= ?1`,
        bound,
      )
      .one();
    if (found.entries > 0) storage.sql.exec("delete from staged where first < ?1 and first + count <= ?1", bound);
    return found;
  });
  const { entries, bytes } = state.backlog;
  state.backlog = { entries: entries - dropped.entries, bytes: bytes - dropped.bytes };
}

/**
 * Entries below may go. Those of the tile the tree is filling stay, for it is made, and served, from them; so do some more
 * that wait for their checkpoint. But publishing that stands still must not fill the ledger: then segments have to do.
 */
function droppableTo({ projected, archived, tree, backlog }: State): number {
  const stored = Math.min(projected ?? 0, archived);
  const open = openTileFrom(tree.size);
  const kept = backlog.bytes > TREE_KEPT_MAX_BYTES ? TILE_WIDTH : TREE_KEPT_MAX_ENTRIES;
  return Math.min(stored, Math.max(open, stored - kept));
}

/**
 * Writes the staged rows that hold any of `first..last` anew, with other lines of the same entries: leaves, heads and counts stay. Answers how many
 * bytes went. Runs in a transaction.
 */
export function rewriteStaged(
  sql: SqlStorage,
  { first, last }: { first: number; last: number },
  edit: (index: number, line: string) => string,
): number {
  const rows = sql
    .exec<StagedRow>("select * from staged where first <= ? and first + count > ? order by first", last, first)
    .toArray();
  let saved = 0;
  for (const row of rows) {
    const held = row.lines.split("\n");
    assert(held.length === row.count, "a staged row holds as many lines as it counts");
    const lines = held.map((line, n) => edit(row.first + n, line)).join("\n");
    if (lines === row.lines) continue;
    const bytes = Buffer.byteLength(lines) + 1;
    sql.exec("update staged set lines = ?, bytes = ? where first = ?", lines, bytes, row.first);
    saved += row.bytes - bytes;
  }
  return saved;
}

/** Enters a segment that R2 holds and that was read back: from here on its staged `rows` may go. */
export function recordSegment(core: Core, segment: Segment, rows: readonly StagedRow[]): void {
  const { state, storage } = core;
  const newest = rows.at(-1);
  assert(newest !== undefined && newest.first + newest.count - 1 === segment.last, "a segment ends with a staged row");
  const { head, sequenced_at } = newest;
  transact(core, () =>
    storage.sql.exec(
      "insert into segment (first, last, name, head, sequenced_at) values (?, ?, ?, ?, ?)",
      segment.first,
      segment.last,
      segment.name,
      head,
      sequenced_at,
    ),
  );
  state.archived = segment.last + 1;
  state.unarchivedBytes -= rows.reduce((sum, { bytes }) => sum + bytes, 0);
  state.oldestUnarchivedAt = sequencedAtOf(storage.sql, state.archived);
}
