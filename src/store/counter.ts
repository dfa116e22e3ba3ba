import type { SealedEntryView } from "../chain/open-sealed.ts";
import { COUNTER_KNOWN_MONTHS_MAX_COUNT, COUNTER_MAX_ACTIONS, COUNTER_MAX_TARGET_TYPES } from "../limits.ts";

/**
 * What an entry counts as. `day` is the UTC date of sequencing; `target_types` are its distinct target types in order, joined
 * by line feeds (a type may hold a space, no type a line feed), "" when it has no target.
 */
export type Counter = { day: string; category: string; action: string; target_types: string; result: string };

/**
 * Counts what is past the cap of an org's month: actions and sets of target types alike. No action and no set of types can be
 * this, so nothing that is called so is ever mistaken for it.
 */
export const COUNTER_OTHER = "\n";

export function counterOf(entry: SealedEntryView): Counter {
  const types = new Set(entry.targets.map((target) => target.type));
  return {
    day: entry.leaf.sequenced_at.slice(0, 10),
    category: entry.leaf.category,
    action: entry.event?.action ?? "",
    target_types: [...types].sort().join("\n"),
    result: entry.event?.outcome?.result ?? "success",
  };
}

/** The statement that adds `counters`, one row written for each distinct one; caps were applied. */
export async function counterStatement(
  cell: D1Database,
  orgNumber: number,
  counters: readonly Counter[],
): Promise<D1PreparedStatement> {
  const sums = new Map<string, [...string[], number]>();
  let month = "";
  let names: KnownNames | undefined;
  for (const { day, category, action, target_types, result } of counters) {
    if (names === undefined || !day.startsWith(month)) {
      month = day.slice(0, 7);
      names = await knownNames(cell, orgNumber, month);
    }
    const row = [
      day,
      category,
      admit(names.actions, action, COUNTER_MAX_ACTIONS),
      admit(names.targetTypes, target_types, COUNTER_MAX_TARGET_TYPES),
      result,
    ];
    const id = row.join("\0");
    const sum = sums.get(id);
    if (sum === undefined) sums.set(id, [...row, 1]);
    else (sum[5] as number) += 1;
  }
  return cell
    .prepare(
      `insert into counter (org_number, day, category, action, target_types, result, count)
       select ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 from json_each(?2) where true
       on conflict do update set count = count + excluded.count`,
    )
    .bind(orgNumber, JSON.stringify([...sums.values()]));
}

/** Makes this isolate read the names of an org anew; called when its counters are deleted. */
export function forgetCounterNames(cell: D1Database): void {
  known.delete(cell);
}

type KnownNames = { actions: Set<string>; targetTypes: Set<string> };

/**
 * Names counted in an org's month, read once an isolate: a ledger is the only projector of its org, and a table of them
 * would cost rows written. An isolate that knows too few or too many shifts the cap a little, nothing else.
 */
const known = new WeakMap<D1Database, Map<string, KnownNames>>();

async function knownNames(cell: D1Database, orgNumber: number, month: string): Promise<KnownNames> {
  const months = known.get(cell) ?? new Map<string, KnownNames>();
  known.set(cell, months);
  const id = `${orgNumber} ${month}`;
  const held = months.get(id) ?? (await readNames(cell, orgNumber, month));
  months.delete(id);
  months.set(id, held);
  if (months.size > COUNTER_KNOWN_MONTHS_MAX_COUNT) months.delete(months.keys().next().value as string);
  return held;
}

async function readNames(cell: D1Database, orgNumber: number, month: string): Promise<KnownNames> {
  const distinct = (column: string, limit: number) =>
    cell
      .prepare(
        `select distinct ${column} as name from counter where org_number = ?1 and day >= ?2 and day <= ?3 limit ?4`,
      )
      .bind(orgNumber, `${month}-01`, `${month}-31`, limit + 1);
  const [actions, targetTypes] = await cell.batch<{ name: string }>([
    distinct("action", COUNTER_MAX_ACTIONS),
    distinct("target_types", COUNTER_MAX_TARGET_TYPES),
  ]);
  return { actions: namesOf(actions), targetTypes: namesOf(targetTypes) };
}

function namesOf(result: D1Result<{ name: string }> | undefined): Set<string> {
  const names = new Set(result?.results.map((row) => row.name));
  names.delete(COUNTER_OTHER);
  return names;
}

function admit(names: Set<string>, name: string, max: number): string {
  if (names.has(name)) return name;
  if (names.size >= max) return COUNTER_OTHER;
  names.add(name);
  return name;
}
