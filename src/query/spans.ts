import type { LedgerPlacement, LogGrant, ReadGrant } from "../schema/ledger.ts";
import type { EntryFilter } from "../store/match.ts";
import type { Cursor } from "./cursor.ts";
import { logsOf } from "./logs.ts";
import { NEVER_WITHHELD } from "./never-withheld.ts";
import type { ListQuery } from "./query.ts";

/**
 * Indexes `[low, high)` of one placement that an answer may come from. `cold`: they are in R2 alone. `quarantine` is the id of
 * the window they lie in, null outside; `filter` is what the index may be asked there.
 */
export type Span = {
  log: LogGrant;
  placement: LedgerPlacement;
  low: number;
  high: number;
  cold: boolean;
  quarantine: string | null;
  filter: EntryFilter;
};

type Bounds = { low: number; high: number };

/** What the answer may come from, in the order asked for. Bounds of indexes are of the log that was the newest when the walk began, and leave out the others. */
export function spansOf(
  grant: ReadGrant,
  { query, filter, cursor }: { query: ListQuery; filter: EntryFilter; cursor: Cursor | null },
): Span[] {
  const { order } = query;
  const bounded = query.after_index !== null || query.before_index !== null;
  const logs = logsOf(grant).filter(({ number }) => !bounded || number === (cursor?.log ?? grant.number));
  const ordered = order === "desc" ? logs : logs.toReversed();
  const from = ordered.findIndex(({ number }) => number === cursor?.log);
  return ordered.slice(Math.max(from, 0)).flatMap((log) => {
    const within = boundsOf(query, log.number === cursor?.log ? cursor : null, log.visible);
    return rangesOf(log.placements, within, order).flatMap(({ placement, ...range }) =>
      windowsOf(log, range, order).map((part) => {
        const asked = part.quarantine === null ? filter : withheldFilter(filter);
        return { log, placement, ...part, filter: asked };
      }),
    );
  });
}

/** The placements a range of indexes touches, each with its part, in the order asked for. */
export function rangesOf(
  placements: readonly LedgerPlacement[],
  { low, high }: Bounds,
  order: "asc" | "desc",
): ({ placement: LedgerPlacement } & Bounds)[] {
  const ranges = placements.flatMap((placement, n) => {
    const next = placements[n + 1]?.first_index ?? Number.MAX_SAFE_INTEGER;
    const part = { placement, low: Math.max(low, placement.first_index), high: Math.min(high, next) };
    return part.low < part.high ? [part] : [];
  });
  return order === "desc" ? ranges.reverse() : ranges;
}

/** The quarantine an index is under; null when it is under none. */
export function quarantineAt({ quarantined }: LogGrant, index: number): string | null {
  return quarantined.find(({ from, to }) => from <= index && index < to)?.id ?? null;
}

/** Indexes `[low, high)` of one log the answer may come from. */
function boundsOf(query: ListQuery, cursor: Cursor | null, visible: number): Bounds {
  const afterCursor = cursor !== null && query.order === "asc" ? cursor.reached + 1 : 0;
  const beforeCursor = cursor !== null && query.order === "desc" ? cursor.reached : visible;
  const low = Math.max(afterCursor, query.after_index === null ? 0 : query.after_index + 1);
  const high = Math.min(visible, beforeCursor, query.before_index ?? visible);
  return { low, high };
}

/** A range in parts that lie inside or outside of each quarantine, in R2 alone or not, in the order asked for. */
function windowsOf(
  log: LogGrant,
  { low, high }: Bounds,
  order: "asc" | "desc",
): (Pick<Span, "quarantine" | "cold"> & Bounds)[] {
  const within = (edge: number) => low < edge && edge < high;
  const inside = [log.cold_before, ...log.quarantined.flatMap(({ from, to }) => [from, to])].filter(within);
  const edges = new Set([low, ...inside, high]);
  const sorted = [...edges].sort((a, b) => a - b);
  const parts = sorted.slice(1).map((end, n) => {
    const begin = sorted[n] as number;
    return { low: begin, high: end, cold: begin < log.cold_before, quarantine: quarantineAt(log, begin) };
  });
  return order === "desc" ? parts.reverse() : parts;
}

/**
 * What the index may be asked under a quarantine: only what stands in the leaf, for what it knows beyond would tell what is
 * withheld. Where the filter asks for something of a section, which none has there, only what is never withheld is found.
 */
function withheldFilter(filter: EntryFilter): EntryFilter {
  const inLeaf = filter.filter(({ field }) => field === "category" || field === "source");
  const asked = filter.some((clause) => "values" in clause && !clause.exclude && !inLeaf.includes(clause));
  return asked ? [...filter, ...NEVER_WITHHELD] : inLeaf;
}
