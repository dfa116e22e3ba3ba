import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { COUNTED_MAX_GROUPS, COUNTED_MAX_ROWS } from "../limits.ts";
import type { LedgerPlacement, ReadGrant } from "../schema/ledger.ts";
import { type CounterColumn, type Days, type Group, readCounters, type Tally } from "../store/read-counters.ts";
import { logsOf } from "./logs.ts";

/** What one placement of a log counts; `next` is the first index it does not count yet. */
type PlaceCount = { log: number; placement: LedgerPlacement; groups: Group[]; next: number };

/** Counts of every placement of an org's logs, or the refusal that says how to ask for less. */
export async function countEntries(
  config: Config,
  grant: ReadGrant,
  question: { by: readonly CounterColumn[]; days: Days },
): Promise<Result<PlaceCount[]>> {
  const places = logsOf(grant).flatMap(({ number, placements }) =>
    placements.map((placement) => ({ log: number, placement })),
  );
  const counts = await Promise.all(
    places.map(async (place) => {
      const counted = await readCounters(cellOf(config, place.placement), place.placement.org_number, question);
      return { ...place, counted };
    }),
  );
  const done: PlaceCount[] = [];
  for (const { counted, ...place } of counts) {
    if (counted.kind === "too_wide") return TOO_WIDE;
    done.push({ ...place, groups: counted.groups, next: counted.next });
  }
  return ok(done);
}

/** Refuses who may not see every entry: a count would tell of entries that are not shown. */
export function refuseRestricted({ restriction }: ReadGrant): Result<null> {
  if (restriction === null) return ok(null);
  return refuse("forbidden", "A reader who may see only some entries gets no counts; list the entries instead.");
}

export function cellOf(config: Config, { cell }: LedgerPlacement): D1Database {
  const found = config.cells.get(cell);
  if (found === undefined) throw new Error(`binding ${cell} is missing`);
  return found;
}

export const NO_TALLY: Tally = { count: 0, success: 0, failure: 0, denied: 0, first_day: "9999-12-31", last_day: "" };

export function addTally(a: Tally, b: Tally): Tally {
  return {
    count: a.count + b.count,
    success: a.success + b.success,
    failure: a.failure + b.failure,
    denied: a.denied + b.denied,
    first_day: a.first_day < b.first_day ? a.first_day : b.first_day,
    last_day: a.last_day > b.last_day ? a.last_day : b.last_day,
  };
}

/** A refusal leaves without a trace, so it tells the bounds and nothing of what the days hold. */
const TOO_WIDE = tooWide();

function tooWide() {
  const rows = COUNTED_MAX_ROWS.toLocaleString("en-US");
  const groups = COUNTED_MAX_GROUPS.toLocaleString("en-US");
  const remedy = "Ask for fewer days; by actor, for a later from.";
  const message = `covers too many days: at most ${rows} counter rows and ${groups} different values are read. ${remedy}`;
  const errors = [{ pointer: "/from", message }];
  return refuse("unprocessable", `These days hold too much to be counted at once. ${remedy}`, { errors });
}
