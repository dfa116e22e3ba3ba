import { deleteSegments, type Segment, segmentsOver } from "../archive/segment.ts";
import { askSegments, segmentsHolding } from "../query/name-segments.ts";
import { SEGMENT_MAX_ENTRIES } from "../limits.ts";
import type { RemoveWork } from "./remove.ts";

/**
 * The segments that hold an index: of the newest log the one its ledger names, of an earlier one all that R2 has, in the order they were written. `past`: the first index after
 * them. `sweep` takes away what R2 holds of the same entries and the ledger does not name; answers whether there was any.
 */
export async function listSegmentsOf(
  { config, org, log, newest }: RemoveWork,
  index: number,
): Promise<{ named: Segment[]; past: number; sweep: () => Promise<boolean> }> {
  const { archive } = config;
  const named = newest
    ? await segmentsHolding(config, org, { log, newest, index })
    : (await segmentsOver(archive, log.log, { from: index, to: index + 1 })).toSorted(
        (a, b) => a.uploaded - b.uploaded,
      );
  // One that R2 has lost since the list was made is passed over, alone.
  const past = named.length === 0 ? index + 1 : Math.min(...named.map(({ last }) => last + 1));
  if (!newest) return { named, past, sweep: () => Promise.resolve(false) };
  const { first, last } = named[0] as Segment;
  return { named, past, sweep };

  async function sweep(): Promise<boolean> {
    const held = await segmentsOver(archive, log.log, { from: first, to: last + 1 });
    if (held.length === 1) return false;
    // Asked after R2: what was put and named meanwhile is named.
    const range = { low: first, high: last + 1, order: "asc", limit: SEGMENT_MAX_ENTRIES } as const;
    const known = await askSegments(config, org, { log: log.number, ...range });
    const names = new Set(known.map(({ name }) => name));
    const strays = held.filter(({ name }) => !names.has(name));
    await deleteSegments(archive, strays);
    return strays.length > 0;
  }
}
