import { heldLines, LostSegment, readSegment, type Segment } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { segmentsAlong } from "./name-segments.ts";
import { COLD_PAGE_MAX_SEGMENTS, SEGMENT_MAX_ENTRIES } from "../limits.ts";
import { log as say } from "../log.ts";
import { count } from "../meter.ts";
import type { LogGrant } from "../schema/ledger.ts";

/**
 * Indexes `[low, high)` of one of an org's logs; `newest`: whether its ledger still names its segments. `unvouched`: lines that a
 * segment's name does not vouch for are told all the same, for who finds out what is wrong with them; to readers they are lost.
 */
export type ColdRange = {
  log: LogGrant;
  newest: boolean;
  low: number;
  high: number;
  order: "asc" | "desc";
  unvouched?: boolean;
};

/** Record lines of the entries `first…`; an empty text is an entry that the archive has lost. */
export type ColdLines = { first: number; lines: string[] };

/**
 * Entries as R2 holds them, one segment after another in the order asked for, each index once. One segment is in memory at a
 * time. Throws when R2 does not answer; what it has lost is told.
 */
export async function* coldLines(config: Config, org: string, range: ColdRange): AsyncGenerator<ColdLines> {
  const names = new Names(config, org, range);
  for (let { low, high } = range; low < high; ) {
    const run = await readRun(config, names, { low, high }, range.unvouched ?? false);
    if (range.order === "desc") high = run.first;
    else low = run.first + run.lines.length;
    yield run;
  }
}

/** The lines of one entry that is cold; null when the archive has lost it. */
export async function coldLine(
  config: Config,
  org: string,
  { log, newest, index }: { log: LogGrant; newest: boolean; index: number },
): Promise<string | null> {
  const range = { log, newest, low: index, high: index + 1, order: "asc" } as const;
  for await (const { lines } of coldLines(config, org, range)) return lines[0] || null;
  return null;
}

type Bounds = { low: number; high: number };

/** The part of `[low, high)` that one segment holds, from the end where the order begins. */
async function readRun(config: Config, names: Names, { low, high }: Bounds, unvouched: boolean): Promise<ColdLines> {
  const part = ({ first, last }: Segment) => ({ low: Math.max(low, first), high: Math.min(high, last + 1) });
  let found = await names.over({ low, high });
  // A segment that an erasure wrote anew meanwhile has another name, and the old one is gone: asked again, it is known.
  for (let turn = 0; turn < 2; turn++) {
    for (const segment of found.segments) {
      const lines = await linesOf(config.archive, segment);
      if (lines !== null) return cut(segment, lines, part(segment));
    }
    if (turn === 0) found = await names.again({ low, high });
  }
  const [named] = found.segments;
  if (named === undefined) return lost(found.gap);
  count("audit_segments_damaged_total");
  say("error", { message: "a segment is not in the archive as it was stored", name: named.name });
  const held = unvouched ? await heldLines(config.archive, named) : null;
  return held?.length === named.last - named.first + 1 ? cut(named, held, part(named)) : lost(part(named));
}

function cut({ first }: Segment, lines: readonly string[], { low, high }: Bounds): ColdLines {
  return { first: low, lines: lines.slice(low - first, high - first) };
}

function lost({ low, high }: Bounds): ColdLines {
  return { first: low, lines: Array.from({ length: high - low }, () => "") };
}

/** The lines that a segment's name vouches for; null when it does not hold them. */
async function linesOf(bucket: R2Bucket, segment: Segment): Promise<string[] | null> {
  try {
    return await readSegment(bucket, segment);
  } catch (error) {
    if (error instanceof LostSegment) return null;
    throw error;
  }
}

/** Names of segments: the ledger gives those of its newest log, R2 lists those of the logs before. */
class Names {
  readonly #config: Config;
  readonly #org: string;
  readonly #range: ColdRange;
  #known: Segment[] = [];

  constructor(config: Config, org: string, range: ColdRange) {
    this.#config = config;
    this.#org = org;
    this.#range = range;
  }

  /** Segments that hold the index at the beginning end of `[low, high)`; where there is none, the `gap` until the next one. */
  async over(rest: Bounds): Promise<{ segments: Segment[]; gap: Bounds }> {
    const desc = this.#range.order === "desc";
    const index = desc ? rest.high - 1 : rest.low;
    const holding = () => this.#known.filter(({ first, last }) => first <= index && index <= last);
    if (holding().length === 0) this.#known = await this.#ask(rest);
    const edges = this.#known.flatMap(({ first, last }) =>
      desc ? (last < index ? [last + 1] : []) : first > index ? [first] : [],
    );
    const edge = desc
      ? Math.max(rest.low, index + 1 - SEGMENT_MAX_ENTRIES, ...edges)
      : Math.min(rest.high, index + SEGMENT_MAX_ENTRIES, ...edges);
    return { segments: holding(), gap: desc ? { low: edge, high: rest.high } : { low: rest.low, high: edge } };
  }

  /** The same, of names that were asked for anew. */
  again(rest: Bounds): Promise<{ segments: Segment[]; gap: Bounds }> {
    this.#known = [];
    return this.over(rest);
  }

  #ask({ low, high }: Bounds): Promise<Segment[]> {
    const { log, newest, order } = this.#range;
    return segmentsAlong(this.#config, this.#org, { log, newest, low, high, order, limit: COLD_PAGE_MAX_SEGMENTS });
  }
}
