import { openEntry } from "../chain/open.ts";
import type { EntryRecord } from "../chain/record.ts";
import { assert } from "../errors.ts";
import { matches } from "../query/matches.ts";
import { parseListQuery } from "../query/query.ts";
import type { Holds, StandingHold } from "../schema/hold.ts";
import { sha256 } from "../sha256.ts";

/** Which entries the holds that stand cover; `version` is theirs. */
export type HeldBy = {
  version: number;
  /** The id of a hold that covers the entry at this index of the org's log of this number; null when none does. */
  holdOf(place: { log: number; index: number }, record: EntryRecord): string | null;
};

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
  return {
    version,
    holdOf(place, record) {
      const near = holds.filter((hold) => isNear(hold, place));
      if (near.length === 0) return null;
      const opened = openEntry(sha256, record);
      const held = near.find(({ filter }) => !opened.ok || matches(filter, opened.entry));
      return held?.id ?? null;
    },
  };
}

function isNear(
  { log, after_index, before_index }: Pick<StandingHold, "log" | "after_index" | "before_index">,
  place: { log: number; index: number },
): boolean {
  if (log !== null && log !== place.log) return false;
  return place.index > (after_index ?? -1) && place.index < (before_index ?? Number.POSITIVE_INFINITY);
}
