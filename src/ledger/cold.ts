import type { Act } from "../schema/act.ts";
import type { CoolLog } from "../schema/tiers.ts";
import type { Planning } from "./sequencer.ts";
import { sealAct } from "./service-entry.ts";
import type { State } from "./state.ts";

/** Entries of a log below `before` are in R2 alone; `entry` says so, in the org's log of number `entry_log`. */
export type Cold = { log: number; before: number; entry_log: number; entry: number };

export function loadCold(sql: SqlStorage): ReadonlyMap<number, Cold> {
  const rows = sql.exec<Cold>("select log, before, entry_log, entry from cold").toArray();
  return new Map(rows.map((row) => [row.log, row]));
}

/** The index below which entries of the org's log of this number are in R2 alone; 0 while none are. */
export function coldBefore({ cold }: Pick<State, "cold">, number: number): number {
  return cold.get(number)?.before ?? 0;
}

/** Enters what an act says; what is cold never becomes hot again. */
export function saveCold(sql: SqlStorage, { log, before, entry_log, entry }: Cold): void {
  sql.exec(
    `insert into cold (log, before, entry_log, entry) values (?, ?, ?, ?)
     on conflict (log) do update set before = excluded.before, entry_log = excluded.entry_log, entry = excluded.entry
       where excluded.before > before`,
    log,
    before,
    entry_log,
    entry,
  );
}

/** Seals that a log's entries below `before` are in R2 alone, once; answers how the log stands then. */
export function planCool(planning: Planning, { state, log, before }: CoolLog & { state: State }): Cold | null {
  const held = planning.cold.get(log) ?? null;
  const from = held?.before ?? 0;
  if (before <= from) return held;
  const sealed = sealAct(planning.draft, cooledAct(state.org.org, { log, from, to: before }), planning.now);
  const cold = { log, before, entry_log: state.earlier.length + 1, entry: sealed.index };
  planning.cold = new Map([...planning.cold, [log, cold]]);
  planning.draft.write((sql) => saveCold(sql, cold));
  planning.draft.whenCommitted(() => {
    state.cold = new Map([...state.cold, [log, cold]]);
  });
  return cold;
}

/** The act that a range of the log of this number has left the search database. */
function cooledAct(org: string, metadata: { log: number; from: number; to: number }): Act {
  return {
    action: "indelible.tier.cooled",
    category: "config_change",
    actor: { type: "service", id: "tiers" },
    key: "service",
    targets: [{ type: "org", id: org }],
    metadata,
  };
}
