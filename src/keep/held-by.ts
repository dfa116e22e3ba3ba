import { type OpenedEntry, openEntry, parseRecord } from "../chain/open.ts";
import type { Config } from "../env.ts";
import { assert } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { matches } from "../query/matches.ts";
import { parseListQuery } from "../query/query.ts";
import type { Holds, StandingHold } from "../schema/hold.ts";
import { sha256 } from "../sha256.ts";
import type { Holding } from "./remove.ts";

const PLACED = "indelible.hold.placed";

/** `coming`: whether one of them may keep what is not sequenced yet, in a log of this size. */
export type HeldBy = Holding & { coming: (size: number) => boolean };

/** What the holds that stand now keep; throws when the ledger does not say. */
export async function holdingNow(config: Config, org: string): Promise<HeldBy> {
  const holds = await callLedger(config, org, async (ledger) => await ledger.standingHolds(org));
  if (!holds.ok) throw new Error(holds.refusal.detail);
  return heldBy(holds.value);
}

/**
 * Reads the holds that stand, to ask them of many entries. An entry is judged as it is stored, whole, and exactly: what is
 * gone from it holds nothing. One that cannot be read is held by whatever may cover it.
 */
export function heldBy({ version, standing }: Holds): HeldBy {
  const holds = standing.map(({ query, ...hold }) => {
    const read = parseListQuery(new URLSearchParams(query));
    assert(read.ok, "the question of a hold is in its one spelling");
    return { ...hold, filter: read.value.filter };
  });
  const ids = new Set(standing.map(({ id }) => id));
  return {
    version,
    coming: (size) => standing.some(({ before_index }) => before_index === null || before_index > size),
    covers({ line, ...place }) {
      const near = holds.filter((hold) => isNear(hold, place));
      if (near.some(({ filter }) => filter.length === 0)) return true;
      if (near.length === 0 && (ids.size === 0 || !line.includes(PLACED))) return false;
      const record = parseRecord(line);
      const opened = record === null ? null : openEntry(sha256, record);
      if (opened?.ok !== true) return true;
      return saysOneOf(ids, opened.entry) || near.some(({ filter }) => matches(filter, opened.entry));
    },
  };
}

/** The entry that says of a hold what it covers stays as long as the hold stands: a ledger that is set back reads it again. */
function saysOneOf(ids: ReadonlySet<string>, { leaf, event, targets }: OpenedEntry): boolean {
  const [hold] = targets;
  return leaf.source === "service" && event?.action === PLACED && ids.has(hold?.id ?? "");
}

function isNear(
  { log, after_index, before_index }: Pick<StandingHold, "log" | "after_index" | "before_index">,
  place: { log: number; index: number },
): boolean {
  if (log !== null && log !== place.log) return false;
  return place.index > (after_index ?? -1) && place.index < (before_index ?? Number.POSITIVE_INFINITY);
}
