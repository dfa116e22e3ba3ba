import { ok, refuse, type Result } from "../errors.ts";
import { newQuarantineId } from "../ids.ts";
import { QUARANTINES_MAX_STANDING } from "../limits.ts";
import type { Act } from "../schema/act.ts";
import type { NewQuarantine, Quarantine } from "../schema/reads.ts";
import type { Core } from "./core.ts";
import { endQuarantine, enterQuarantine, findQuarantine, noteQuarantine } from "./quarantines.ts";
import type { Planning } from "./sequencer.ts";
import { sealAct } from "./service-entry.ts";

type Context = { core: Core; planning: Planning; by: string };

const UNKNOWN = refuse("not_found", "This org has no such quarantine.");

/** Puts a window under quarantine. Asked again with the same words, the one that stands is answered. */
export function planPlace({ core, planning, by }: Context, asked: NewQuarantine): Result<Quarantine> {
  const { state, storage } = core;
  const { from, to, reason } = asked;
  const newest = state.earlier.length + 1;
  const log = asked.log ?? newest;
  if (log > newest) return refuse("unprocessable", `log: this org's logs are 1 to ${newest}.`);
  const same = planning.standing.find((one) => one.log === log && one.from === from && one.to === to);
  const stands = same === undefined ? null : findQuarantine(storage.sql, same.id);
  if (stands?.reason === reason) return ok(stands);
  if (planning.standing.length >= QUARANTINES_MAX_STANDING) {
    const detail = `At most ${QUARANTINES_MAX_STANDING} quarantines stand at once: release one, or place one over several windows.`;
    return refuse("unprocessable", detail);
  }
  const { now, draft } = planning;
  const placed = { id: newQuarantineId(), log, from, to };
  const entered = { ...placed, reason, by, at: now };
  sealAct(draft, quarantineAct("placed", { id: placed.id, by, reason, metadata: { log, from, to } }), now);
  draft.write((sql) => enterQuarantine(sql, entered));
  stand(core, planning, [...planning.standing, placed]);
  return ok({ ...entered, at: new Date(now).toISOString(), released: null, notes: [] });
}

/** Lifts a quarantine; one lifted before is answered as it was. */
export function planRelease(
  { core, planning, by }: Context,
  { id, reason }: { id: string; reason: string },
): Result<Quarantine> {
  const found = findQuarantine(core.storage.sql, id);
  if (found === null) return UNKNOWN;
  if (!planning.standing.some((one) => one.id === id)) return ok(found);
  const { now, draft } = planning;
  const { log, from, to } = found;
  sealAct(draft, quarantineAct("released", { id, by, reason, metadata: { log, from, to } }), now);
  draft.write((sql) => endQuarantine(sql, { id, reason, by, at: now }));
  stand(
    core,
    planning,
    planning.standing.filter((one) => one.id !== id),
  );
  return ok({ ...found, released: { reason, by, at: new Date(now).toISOString() } });
}

/** Adds a note to a quarantine, also to one that was released. The last note again is the same one. */
export function planAnnotate(
  { core, planning, by }: Context,
  { id, note }: { id: string; note: string },
): Result<Quarantine> {
  const { sql } = core.storage;
  const found = findQuarantine(sql, id);
  if (found === null) return UNKNOWN;
  const last = found.notes.at(-1);
  if (last?.note === note && last.by === by) return ok(found);
  const { now, draft } = planning;
  sealAct(draft, quarantineAct("annotated", { id, by, reason: note, metadata: {} }), now);
  // By the time of its entry it is found again when its words go.
  const at = draft.sequencedAt;
  draft.write((target) => noteQuarantine(target, { id, note, by, at }));
  return ok({ ...found, notes: [...found.notes, { note, by, at: draft.sequencedAtText }] });
}

/** What stands after this draft, for plans that come later in it and for memory once it is committed. */
function stand({ state }: Core, planning: Planning, standing: Planning["standing"]): void {
  planning.standing = standing;
  planning.draft.whenCommitted(() => {
    state.standing = standing;
  });
}

function quarantineAct(
  verb: "placed" | "released" | "annotated",
  { id, by, reason, metadata }: { id: string; by: string; reason: string; metadata: Record<string, unknown> },
): Act {
  return {
    action: `indelible.quarantine.${verb}`,
    category: "config_change",
    actor: { type: "key", id: by },
    key: by,
    targets: [{ type: "quarantine", id }],
    note: { reason },
    metadata,
  };
}
