import type { SealedEntryView } from "../chain/open-sealed.ts";
import { ACTION_SEEN_KNOWN_LOGS_MAX_COUNT, ACTION_SEEN_MAX_ROWS } from "../limits.ts";
import { COUNTER_OTHER } from "./counter.ts";

/** That an action was sequenced with a schema version on `day`, a UTC date. */
export type Seen = { action: string; version: number; day: string };

/** Of an entry that gives no version; the API says so too. */
const DEFAULT_VERSION = 1;
/** Stands for every version of COUNTER_OTHER, past the cap of a log. */
const NO_VERSION = 0;

export function seenOf({ leaf, event }: SealedEntryView): Seen {
  return {
    action: event?.action ?? "",
    version: event?.version ?? DEFAULT_VERSION,
    day: leaf.sequenced_at.slice(0, 10),
  };
}

/** The statement that enters what was seen. It writes a row only where a day is new, the cap was applied. */
export async function seenStatement(
  cell: D1Database,
  orgNumber: number,
  seen: readonly Seen[],
): Promise<D1PreparedStatement> {
  const pairs = await knownPairs(cell, orgNumber);
  const days = new Map<string, [action: string, version: number, first: string, last: string]>();
  for (const { action, version, day } of seen) {
    const [id, ...pair] = admit(pairs, action, version);
    const row = days.get(id);
    if (row === undefined) days.set(id, [...pair, day, day]);
    else if (day < row[2]) row[2] = day;
    else if (day > row[3]) row[3] = day;
  }
  return cell
    .prepare(
      `insert into action_seen (org_number, action, version, first_day, last_day)
       select ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?2) where true
       on conflict do update set first_day = min(first_day, excluded.first_day), last_day = max(last_day, excluded.last_day)
       where excluded.first_day < first_day or excluded.last_day > last_day`,
    )
    .bind(orgNumber, JSON.stringify([...days.values()]));
}

/** Makes this isolate read what is seen anew; called when rows of it are deleted. */
export function forgetSeen(cell: D1Database): void {
  known.delete(cell);
}

/** Actions with a version, each log's read once an isolate. One that knows too few or too many shifts the cap a little. */
const known = new WeakMap<D1Database, Map<number, Set<string>>>();

async function knownPairs(cell: D1Database, orgNumber: number): Promise<Set<string>> {
  const logs = known.get(cell) ?? new Map<number, Set<string>>();
  known.set(cell, logs);
  const held = logs.get(orgNumber) ?? (await readPairs(cell, orgNumber));
  logs.delete(orgNumber);
  logs.set(orgNumber, held);
  if (logs.size > ACTION_SEEN_KNOWN_LOGS_MAX_COUNT) logs.delete(logs.keys().next().value as number);
  return held;
}

async function readPairs(cell: D1Database, orgNumber: number): Promise<Set<string>> {
  const { results } = await cell
    .prepare("select action, version from action_seen where org_number = ?1 limit ?2")
    .bind(orgNumber, ACTION_SEEN_MAX_ROWS + 1)
    .all<{ action: string; version: number }>();
  return new Set(results.map(({ action, version }) => idOf(action, version)));
}

function admit(pairs: Set<string>, action: string, version: number): [id: string, action: string, version: number] {
  const id = idOf(action, version);
  if (!pairs.has(id) && pairs.size >= ACTION_SEEN_MAX_ROWS) {
    return [idOf(COUNTER_OTHER, NO_VERSION), COUNTER_OTHER, NO_VERSION];
  }
  pairs.add(id);
  return [id, action, version];
}

function idOf(action: string, version: number): string {
  return `${version} ${action}`;
}
