import { readSegment, type Segment } from "../archive/segment.ts";
import { assert } from "../errors.ts";
import { PROJECT_MAX_BYTES } from "../limits.ts";
import type { Core } from "./core.ts";

/** Record lines of entries `first…` as the ledger can still give them out. */
export type Lines = { first: number; lines: string[] };

/**
 * Record lines from index `from` on: from the staged rows that hold them, else from their segment in R2 (one at most).
 * At most `limit` lines and about PROJECT_MAX_BYTES, at least one; null when `from` is the head. Projection, rebuild and
 * verification all read here.
 */
export async function linesFrom(core: Core, from: number, limit: number): Promise<Lines | null> {
  const { sql } = core.storage;
  if (from >= core.state.head.size) return null;
  const staged = stagedLines(sql, from, limit);
  if (staged.length > 0) return { first: from, lines: staged };
  const [segment] = sql
    .exec<Segment>("select first, last, name from segment where first <= ? order by first desc limit 1", from)
    .toArray();
  assert(segment !== undefined && segment.last >= from, "an entry that is not staged is archived");
  const lines = await readSegment(core.config.archive, segment);
  return { first: from, lines: lines.slice(from - segment.first, from - segment.first + limit) };
}

/** Record lines from staged rows alone; empty when `from` is not staged. */
export function stagedLines(sql: SqlStorage, from: number, limit: number): string[] {
  const rows = sql.exec<{ first: number; bytes: number; lines: string }>(
    `select first, bytes, lines from staged
     where first >= coalesce((select max(first) from staged where first <= ?), 0) and first + count > ?
     order by first`,
    from,
    from,
  );
  const lines: string[] = [];
  let bytes = 0;
  for (const row of rows) {
    // Staged rows are a gapless run that ends at the head; before it begins, entries are archived.
    if (row.first > from + lines.length || lines.length >= limit) break;
    if (lines.length > 0 && bytes + row.bytes > PROJECT_MAX_BYTES) break;
    bytes += row.bytes;
    const held = row.lines.split("\n");
    lines.push(...(row.first < from ? held.slice(from - row.first) : held));
  }
  return lines.slice(0, limit);
}
