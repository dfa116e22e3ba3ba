import { readSegment, type Segment } from "../archive/segment.ts";
import { assert } from "../errors.ts";
import type { Core } from "./core.ts";

/** Record lines of entries `first…` as the ledger can still give them out. */
export type Lines = { first: number; lines: string[] };

/**
 * Record lines from index `from` on: from the staged row that holds it, else from its segment in R2. One row or one
 * segment at most, cut to `limit` lines; null when `from` is the head. Projection, rebuild and verification all read here.
 */
export async function linesFrom(core: Core, from: number, limit: number): Promise<Lines | null> {
  const { sql } = core.storage;
  if (from >= core.state.head.size) return null;
  const [staged] = sql
    .exec<{ first: number; count: number; lines: string }>(
      `select first, count, lines from staged
       where first >= coalesce((select max(first) from staged where first <= ?), 0) and first + count > ?
       order by first limit 1`,
      from,
      from,
    )
    .toArray();
  if (staged !== undefined && staged.first <= from) {
    return { first: from, lines: staged.lines.split("\n").slice(from - staged.first, from - staged.first + limit) };
  }
  const [segment] = sql
    .exec<Segment>("select first, last, name from segment where first <= ? order by first desc limit 1", from)
    .toArray();
  assert(segment !== undefined && segment.last >= from, "an entry that is not staged is archived");
  const lines = await readSegment(core.config.archive, segment);
  return { first: from, lines: lines.slice(from - segment.first, from - segment.first + limit) };
}
