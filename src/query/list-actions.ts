import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { COUNTER_OTHER } from "../store/counter.ts";
import { type Days, readSeen } from "../store/read-counters.ts";
import { addTally, cellOf, countEntries, NO_TALLY, refuseRestricted } from "./count-entries.ts";
import { daysOf } from "./days.ts";
import { logsOf } from "./logs.ts";
import { type Drift, namingDrift } from "./naming-drift.ts";
import type { DaysQuery } from "./stats-query.ts";
import { type Reader, type Traced, traced } from "./traced.ts";

type Version = { version: number; first_day: string; last_day: string };

/** `count` and the days are of the days asked for; `versions`, of whenever they were seen. */
type Action = {
  action: string;
  count: number;
  first_day: string;
  last_day: string;
  categories: { category: string; count: number }[];
  versions: Version[];
};

/**
 * Every action of the days, by name. `other_count`: entries past the caps of a month, counted without their action.
 * `versions_complete`: false when there were more actions and versions than are remembered.
 */
export type Inventory = {
  days: Days;
  data: Action[];
  other_count: number;
  versions_complete: boolean;
  drift: Drift[];
};

/** Which actions an org's log knows, and which of their names look like one action written twice. */
export async function listActions(
  config: Config,
  reader: Reader,
  query: DaysQuery,
): Promise<Result<Traced<Inventory>>> {
  return traced<Inventory>(config, reader, {
    route: "actions.list",
    filter: query.text,
    read: async (grant) => {
      const allowed = refuseRestricted(grant);
      if (!allowed.ok) return allowed;
      const days = daysOf(query, grant);
      const inventory = await takeInventory(config, grant, days);
      if (!inventory.ok) return inventory;
      return ok({ answer: inventory.value, results: inventory.value.data.length, range: null });
    },
  });
}

async function takeInventory(config: Config, grant: ReadGrant, days: Days): Promise<Result<Inventory>> {
  const counted = await countEntries(config, grant, { by: ["action", "category"], days });
  if (!counted.ok) return counted;
  const { versions, complete } = await versionsOf(config, grant);
  const actions = new Map<string, Action>();
  let other_count = 0;
  for (const { value, ...tally } of counted.value.flatMap(({ groups }) => groups)) {
    const [action = "", category = ""] = value;
    if (action === COUNTER_OTHER) other_count += tally.count;
    // An action that is no more: its section was absent when it was counted.
    if (action === COUNTER_OTHER || action === "") continue;
    const before = actions.get(action);
    const { count, first_day, last_day } = addTally(tally, { ...NO_TALLY, ...before });
    const categories = before?.categories ?? [];
    const known = categories.find((one) => one.category === category);
    if (known === undefined) categories.push({ category, count: tally.count });
    else known.count += tally.count;
    const seen = [...(versions.get(action)?.values() ?? [])].sort((a, b) => a.version - b.version);
    actions.set(action, { action, count, first_day, last_day, categories, versions: seen });
  }
  const data = [...actions.values()].sort((a, b) => (a.action < b.action ? -1 : 1));
  for (const { categories } of data) categories.sort((a, b) => b.count - a.count || (a.category < b.category ? -1 : 1));
  return ok({ days, data, other_count, versions_complete: complete, drift: namingDrift(data) });
}

/** The schema versions of each action, of all placements and logs. */
async function versionsOf(config: Config, grant: ReadGrant) {
  const places = logsOf(grant).flatMap(({ placements }) => placements);
  const seen = await Promise.all(places.map((place) => readSeen(cellOf(config, place), place.org_number)));
  const versions = new Map<string, Map<number, Version>>();
  for (const { action, ...row } of seen.flat()) {
    const known = versions.get(action) ?? new Map<number, Version>();
    versions.set(action, known);
    const { version, first_day, last_day } = known.get(row.version) ?? row;
    known.set(version, {
      version,
      first_day: first_day < row.first_day ? first_day : row.first_day,
      last_day: last_day > row.last_day ? last_day : row.last_day,
    });
  }
  return { versions, complete: !versions.has(COUNTER_OTHER) };
}
