import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { HEAVY_READ_WEIGHT } from "../limits.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { COUNTER_OTHER } from "../store/counter.ts";
import type { CounterColumn, Days, Tally } from "../store/read-counters.ts";
import { addTally, countEntries, NO_TALLY, refuseRestricted } from "./count-entries.ts";
import { countActors } from "./count-actors.ts";
import { daysOf } from "./days.ts";
import type { Grouping, StatsQuery } from "./stats-query.ts";
import { type Reader, type Traced, traced } from "./traced.ts";

/** How many entries, and how they ended. `success_rate` is the share of successes; null of nothing, and of results themselves. */
type Numbers = { count: number; success: number; failure: number; denied: number; success_rate: number | null };

/**
 * `data`: the groups with most entries (days: the newest), `groups` counts them all. `other`: entries past the caps of a month,
 * counted without their name. `none`: entries without such a value. An entry with targets of two types counts for both.
 */
export type Stats = {
  group_by: Grouping;
  days: Days;
  total: Numbers;
  data: ({ value: string; type?: string } & Numbers)[];
  groups: number;
  truncated: boolean;
  other: Numbers | null;
  none: Numbers | null;
};

/** Named groups, and those that have no name of their own. */
export type Tallies = {
  total: Tally;
  named: Map<string, Tally & { value: string; type?: string }>;
  other: Tally;
  none: Tally;
};

/** How many entries of an org were sequenced on some days, by one thing; restricted readers are refused. */
export async function stats(config: Config, reader: Reader, query: StatsQuery): Promise<Result<Traced<Stats>>> {
  return traced<Stats>(config, reader, {
    route: "stats",
    filter: query.text,
    weight: query.group_by === "actor" ? HEAVY_READ_WEIGHT : 1,
    read: async (grant) => {
      const allowed = refuseRestricted(grant);
      if (!allowed.ok) return allowed;
      const days = daysOf(query, grant);
      const { group_by } = query;
      const tallied =
        group_by === "actor"
          ? await countActors(config, reader.org, { grant, days })
          : await countColumn(config, grant, { column: COLUMNS[group_by], days });
      if (!tallied.ok) return tallied;
      const answer = answerOf(tallied.value, { ...query, days });
      return ok({ answer, results: answer.data.length, range: null });
    },
  });
}

const COLUMNS: Record<Exclude<Grouping, "actor">, CounterColumn> = {
  action: "action",
  category: "category",
  result: "result",
  target_type: "target_types",
  day: "day",
};

async function countColumn(
  config: Config,
  grant: ReadGrant,
  { column, days }: { column: CounterColumn; days: Days },
): Promise<Result<Tallies>> {
  const counted = await countEntries(config, grant, { by: [column], days });
  if (!counted.ok) return counted;
  const tallies: Tallies = { total: NO_TALLY, named: new Map(), other: NO_TALLY, none: NO_TALLY };
  for (const { value, ...tally } of counted.value.flatMap(({ groups }) => groups)) {
    const [text = ""] = value;
    tallies.total = addTally(tallies.total, tally);
    if (text === COUNTER_OTHER) tallies.other = addTally(tallies.other, tally);
    else if (text === "") tallies.none = addTally(tallies.none, tally);
    // Only sets of target types hold line feeds.
    else for (const name of text.split("\n")) addNamed(tallies, name, tally);
  }
  return ok(tallies);
}

function addNamed({ named }: Tallies, value: string, tally: Tally): void {
  named.set(value, { value, ...addTally(named.get(value) ?? NO_TALLY, tally) });
}

function answerOf(
  { total, named, other, none }: Tallies,
  { group_by, limit, days }: Pick<StatsQuery, "group_by" | "limit"> & { days: Days },
): Stats {
  const rated = group_by !== "result";
  const all = [...named.values()].sort(group_by === "day" ? newest : most);
  const data = all.slice(0, limit).map(({ value, type, ...tally }) => ({
    value,
    ...(type === undefined ? {} : { type }),
    ...numbersOf(tally, rated),
  }));
  return {
    group_by,
    days,
    total: numbersOf(total, true),
    data,
    groups: all.length,
    truncated: data.length < all.length,
    other: other.count === 0 ? null : numbersOf(other, rated),
    none: none.count === 0 ? null : numbersOf(none, rated),
  };
}

type Named = { value: string; count: number };

function newest(a: Named, b: Named): number {
  return a.value < b.value ? 1 : -1;
}

function most(a: Named, b: Named): number {
  return b.count - a.count || (a.value < b.value ? -1 : 1);
}

function numbersOf({ count, success, failure, denied }: Tally, rated: boolean): Numbers {
  const success_rate = rated && count > 0 ? success / count : null;
  return { count, success, failure, denied, success_rate };
}
