import type { Segment } from "../archive/segment.ts";
import { assert } from "../errors.ts";
import type { Core } from "./core.ts";
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
 * Drops the staged rows that are both in D1 and in an archived segment; nothing else may. Bounded by `first`, so that
 * only rows that go are read.
 */
export function dropStaged(core: Core): void {
  const { state, storage } = core;
  const bound = Math.min(state.projected ?? 0, state.archived);
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

/** When the first entry from `index` on was sequenced; null when there is none staged. */
export function sequencedAtOf(sql: SqlStorage, index: number): number | null {
  const [row] = sql
    .exec<{ sequenced_at: number }>(
      "select sequenced_at from staged where first + count > ? order by first limit 1",
      index,
    )
    .toArray();
  return row?.sequenced_at ?? null;
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
