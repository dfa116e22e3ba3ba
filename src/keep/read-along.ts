import { listSegments, type Segment } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { READ_TOGETHER_MAX_ENTRIES, READ_TOGETHER_SEGMENTS, R2_LIST_MAX_KEYS } from "../limits.ts";
import { askSegments, type NamedLog, segmentsHolding } from "../query/name-segments.ts";
import { readThere } from "./read-there.ts";

/** A segment and its lines; null of one that is not in R2 as it was stored. */
type Copy = { segment: Segment; lines: string[] | null };

/** Entries `from` to `past` (exclusive) with every copy of them there is: of an earlier log there may be none, or several. */
export type Stretch = { from: number; past: number; copies: Copy[] };

type Wanted = { of: NamedLog; from: number; to: number; limit: number };

/** Reads a log's entries in order, about `limit` segments at most. */
export async function* readAlong(config: Config, org: string, wanted: Wanted): AsyncGenerator<Stretch> {
  const { of, from, to, limit } = wanted;
  if (from >= to) return;
  if (!of.newest) return yield* readEarlier(config, org, wanted);
  const range = { low: from, high: to, order: "asc", limit } as const;
  const segments = await askSegments(config, org, { log: of.log.number, ...range });
  let index = from;
  for await (const copy of readEach(config, org, { of, segments })) {
    const { first, last } = copy.segment;
    if (first > index) break;
    const past = Math.min(to, last + 1);
    yield { from: index, past, copies: [copy] };
    index = past;
  }
  if (index === from) throw new Error(`entry ${index} of ${of.log.log} is in no segment`);
}

/** Reads segments of a log one after the other, small ones at once: those of a quiet log hold one entry each. */
export async function* readEach(
  config: Config,
  org: string,
  { of, segments }: { of: NamedLog; segments: readonly Segment[] },
): AsyncGenerator<Copy> {
  const read = async (segment: Segment) => ({ segment, lines: await readThere(config, org, { of, segment }) });
  for (const group of together(segments)) yield* await Promise.all(group.map(read));
}

/** Of an earlier log R2 alone knows its segments: they are asked for one after the other. */
async function* readEarlier(config: Config, org: string, { of, from, to, limit }: Wanted): AsyncGenerator<Stretch> {
  for (let [index, left] = [from, limit]; index < to && left > 0; left--) {
    const segments = await segmentsHolding(config, org, { ...of, index });
    const copies: Copy[] = [];
    for await (const copy of readEach(config, org, { of, segments })) copies.push(copy);
    const past =
      segments.length > 0 ? Math.min(...segments.map(({ last }) => last + 1)) : await nextIn(config, of, index);
    yield { from: index, past: Math.min(to, past), copies };
    index = past;
  }
}

/** Where the segments go on behind entries that none holds. */
async function nextIn({ archive }: Config, { log }: NamedLog, index: number): Promise<number> {
  const [next] = await listSegments(archive, { log: log.log, from: index, limit: R2_LIST_MAX_KEYS });
  return next?.first ?? Number.POSITIVE_INFINITY;
}

/** Runs of segments that are read at once: small ones, or one. */
function* together(segments: readonly Segment[]): Generator<Segment[]> {
  let [group, entries]: [Segment[], number] = [[], 0];
  for (const segment of segments) {
    const held = segment.last - segment.first + 1;
    const fits = group.length < READ_TOGETHER_SEGMENTS && entries + held <= READ_TOGETHER_MAX_ENTRIES;
    if (group.length > 0 && !fits) {
      yield group;
      [group, entries] = [[], 0];
    }
    group.push(segment);
    entries += held;
  }
  if (group.length > 0) yield group;
}
