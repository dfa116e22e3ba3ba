import { listSegments, type Segment, segmentsOver } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { R2_LIST_MAX_KEYS, SEGMENT_MAX_ENTRIES } from "../limits.ts";
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
  const index = range.order === "desc" ? range.high - 1 : range.low;
  // No segment holds more, so none that begins earlier reaches the index.
  const from = Math.max(0, index + 1 - SEGMENT_MAX_ENTRIES);
  return listSegments(config.archive, { log: log.log, from, limit: R2_LIST_MAX_KEYS });
}

/** Every segment that holds an entry; throws when there is none. */
export async function segmentsHolding(
  config: Config,
  org: string,
  { log, newest, index }: NamedLog & { index: number },
): Promise<Segment[]> {
  const [low, high] = [index, index + 1];
  const held = newest
    ? await askSegments(config, org, { log: log.number, low, high, order: "asc", limit: 1 })
    : await segmentsOver(config.archive, log.log, { from: low, to: high });
  if (held.length === 0) throw new Error(`entry ${index} of ${log.log} is in no segment`);
  return held;
}
