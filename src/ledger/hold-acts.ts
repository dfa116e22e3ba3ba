import { ok, refuse, type Result } from "../errors.ts";
import { newHoldId } from "../ids.ts";
import { HOLDS_MAX_STANDING } from "../limits.ts";
import type { Act } from "../schema/act.ts";
import type { Hold, HoldAct, HoldScope, Holds } from "../schema/hold.ts";
import type { Core } from "./core.ts";
import type { Sealed } from "./draft.ts";
import { baseOf } from "./earlier.ts";
import { endHold, enterHold, findHold } from "./holds.ts";
import type { Principal } from "./keys.ts";
import type { Planning } from "./sequencer.ts";
import { sealAct } from "./service-entry.ts";
import { freedUntil } from "./under-way.ts";

/** Mostly it is over at once: a removal that was cut short makes a hold wait for longer. */
const RETRY_S = 2;

type Context = { core: Core; planning: Planning; principal: Principal };

/** Places a hold. Asked again with the same words, the one that stands is answered. */
export function planPlaceHold(
  { core, planning, principal }: Context,
  { reason, personal, ...wanted }: Extract<HoldAct, { do: "place" }>["asked"],
): Result<Hold> {
  if (personal && !principal.scopes.includes("personal:read")) {
    return refuse("forbidden", "A hold by ip, session_id, request_id or words needs the scope personal:read as well.");
  }
  const newest = core.state.earlier.length + 1;
  const bounded = wanted.after_index !== null || wanted.before_index !== null;
  // An index is one of a log; of which, must not change when another log begins.
  const scope = { ...wanted, log: wanted.log ?? (bounded ? newest : null) };
  if (scope.log !== null && scope.log > newest) {
    return refuse("unprocessable", `log: this org's logs are 1 to ${newest}.`);
  }
  const { standing } = planning.holds;
  const same = standing.find((one) => one.reason === reason && sameScope(one, scope));
  if (same !== undefined) return ok({ ...same, released: null });
  if (standing.length >= HOLDS_MAX_STANDING) {
    const detail = `At most ${HOLDS_MAX_STANDING} holds stand at once: release one, or place one that covers several.`;
    return refuse("unprocessable", detail);
  }
  const { now } = planning;
  const wait_ms = freedUntil(core.storage.sql) - now;
  // What was let go of before this hold could be asked would leave after it was answered.
  if (wait_ms > 0) {
    const detail = "Something is leaving at this moment that this hold may cover.";
    return refuse("overloaded", detail, { retry_after_s: Math.min(Math.ceil(wait_ms / 1000), RETRY_S) });
  }
  const placed = { id: newHoldId(), ...scope, reason, by: principal.key, at: new Date(now).toISOString() };
  const sealed = sealAct(planning.draft, holdAct("placed", { id: placed.id, by: principal.key, reason, scope }), now);
  const position = positionOf(core, sealed);
  planning.draft.write((sql) => enterHold(sql, { ...placed, at: now, position }));
  stand(core, planning, { version: position, standing: [...standing, placed] });
  return ok({ ...placed, released: null });
}

/** Lifts a hold; one lifted before is answered as it was. */
export function planReleaseHold(
  { core, planning, principal }: Context,
  { id, reason }: { id: string; reason: string },
): Result<Hold> {
  const { now, draft, holds } = planning;
  const held = holds.standing.find((one) => one.id === id);
  if (held === undefined) {
    const found = findHold(core.storage.sql, id);
    return found === null ? refuse("not_found", "This org has no such hold.") : ok(found);
  }
  const by = principal.key;
  const position = positionOf(core, sealAct(draft, holdAct("released", { id, by, reason, scope: held }), now));
  draft.write((sql) => endHold(sql, { id, reason, by, at: now, position }));
  stand(core, planning, { version: position, standing: holds.standing.filter((one) => one.id !== id) });
  return ok({ ...held, released: { reason, by, at: new Date(now).toISOString() } });
}

/** What stands after this draft, for plans that come later in it and for memory once it is committed. */
function stand({ state }: Core, planning: Planning, holds: Holds): void {
  planning.holds = holds;
  planning.draft.whenCommitted(() => {
    state.holds = holds;
  });
}

function positionOf({ state }: Core, { index }: Sealed): number {
  return baseOf(state.earlier) + index;
}

function sameScope(a: HoldScope, b: HoldScope): boolean {
  const same = a.after_index === b.after_index && a.before_index === b.before_index;
  return same && a.query === b.query && a.log === b.log;
}

/** What a hold asks for may quote a person, as a trace of reading does: so it lies in the same place, and goes the same way. */
function holdAct(
  verb: "placed" | "released",
  { id, by, reason, scope }: { id: string; by: string; reason: string; scope: HoldScope },
): Act {
  const { query, log, after_index, before_index } = scope;
  return {
    action: `indelible.hold.${verb}`,
    category: "config_change",
    actor: { type: "key", id: by },
    key: by,
    targets: [{ type: "hold", id }],
    note: query === "" ? { reason } : { reason, query },
    metadata: { log, after_index, before_index },
  };
}
