import { type Segment, segmentsFrom, segmentsOver } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { SEGMENT_MAX_ENTRIES } from "../limits.ts";
import type { KnownSegment, SegmentQuestion } from "../schema/tiers.ts";
import { callLedger } from "../ledger/client.ts";

/** One of an org's logs. `newest`: whether its ledger names its segments; of an earlier log only R2 knows, which may hold entries twice. */
export type NamedLog = { log: { number: number; log: string }; newest: boolean };

type Range = Omit<SegmentQuestion, "log">;

/** The segments of `[low, high)` of its newest log that an org's ledger names, in order; throws when it does not say. */
export async function askSegments(config: Config, org: string, asked: SegmentQuestion): Promise<KnownSegment[]> {
  const named = await callLedger(config, org, async (ledger) => await ledger.segmentsAt(org, asked));
  if (!named.ok) throw new Error(named.refusal.detail);
  return named.value;
}

/** Segments over the end of `[low, high)` where the order begins, and (what the ledger names: at most `limit`) some that follow. */
export async function segmentsAlong(
  config: Config,
  org: string,
  { log, newest, ...range }: NamedLog & Range,
): Promise<Segment[]> {
  if (newest) return askSegments(config, org, { log: log.number, ...range });
  const { low, high, order } = range;
  // Downwards, those that follow end below the highest index.
  if (order === "desc") return segmentsFrom(config.archive, log.log, { from: high - SEGMENT_MAX_ENTRIES, past: high });
  return segmentsFrom(config.archive, log.log, { from: low, past: low + 1 });
}

/** How far down `count` segments reach from `high`: an index from `low` on, which is `low` itself where there are no more. */
export async function reachOf(
  config: Config,
  org: string,
  { log, newest, low, high, count }: NamedLog & { low: number; high: number; count: number },
): Promise<number> {
  if (low >= high) return low;
  if (newest) {
    const named = await askSegments(config, org, { log: log.number, low, high, order: "desc", limit: count });
    return named.length < count ? low : Math.max(low, named.at(-1)?.first ?? low);
  }
  for (let room = SEGMENT_MAX_ENTRIES; ; room *= 2) {
    const from = Math.max(low, high - room);
    const listed = await segmentsOver(config.archive, log.log, { from, to: high });
    const begins = listed.map(({ first }) => first).sort((a, b) => b - a);
    if (begins.length >= count) return Math.max(low, begins[count - 1] ?? low);
    if (from === low) return low;
  }
}

/** Every segment that holds an entry: of an earlier log there may be none, of the newest its ledger names one, or this throws. */
export async function segmentsHolding(
  config: Config,
  org: string,
  { log, newest, index }: NamedLog & { index: number },
): Promise<Segment[]> {
  const [low, high] = [index, index + 1];
  if (!newest) return segmentsOver(config.archive, log.log, { from: low, to: high });
  const named = await askSegments(config, org, { log: log.number, low, high, order: "asc", limit: 1 });
  if (named.length === 0) throw new Error(`entry ${index} of ${log.log} is in no segment`);
  return named;
}
