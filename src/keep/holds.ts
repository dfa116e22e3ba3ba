import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { asksPersonal } from "../query/query.ts";
import type { Caller } from "../schema/caller.ts";
import type { Hold, HoldAct, HoldAnswer, NewHold } from "../schema/hold.ts";
import { readSentFilter } from "../query/sent-filter.ts";

/** An org's holds: all that stand, then those released last. */
export async function listHolds(config: Config, org: string, caller: Caller): Promise<Result<HoldAnswer[]>> {
  const holds = await callLedger(config, org, async (ledger) => await ledger.holds(org, caller));
  return holds.ok ? ok(holds.value.map(answerOf)) : holds;
}

/** From when this returns, nothing that the hold covers expires or is erased, until it is released. */
export async function placeHold(
  config: Config,
  org: string,
  { caller, wanted }: { caller: Caller; wanted: NewHold },
): Promise<Result<HoldAnswer>> {
  const read = readSentFilter(wanted);
  if (!read.ok) return read;
  const { filter, text: query } = read.value;
  const { reason, log = null, after_index = null, before_index = null } = wanted;
  // Words are looked for in sections that need personal:read as well.
  const personal = asksPersonal(filter) || filter.some(({ field }) => field === "words");
  const asked = { reason, query, log, after_index, before_index, personal };
  return acted(config, org, { caller, act: { do: "place", asked } });
}

export function releaseHold(
  config: Config,
  org: string,
  { caller, id, reason }: { caller: Caller; id: string; reason: string },
): Promise<Result<HoldAnswer>> {
  return acted(config, org, { caller, act: { do: "release", id, reason } });
}

async function acted(
  config: Config,
  org: string,
  { caller, act }: { caller: Caller; act: HoldAct },
): Promise<Result<HoldAnswer>> {
  const done = await callLedger(config, org, async (ledger) => await ledger.actOnHold(org, caller, act));
  return done.ok ? ok(answerOf(done.value)) : done;
}

function answerOf({ id, reason, query, log, after_index, before_index, by, at, released }: Hold): HoldAnswer {
  const params = new URLSearchParams(query);
  const [from, to] = [params.get("from"), params.get("to")];
  const names = [...new Set(params.keys())].filter((name) => name !== "from" && name !== "to");
  const filter = Object.fromEntries(names.map((name) => [name, params.getAll(name)]));
  return { id, reason, filter, from, to, after_index, before_index, log, by, at, released };
}
