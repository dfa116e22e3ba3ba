import type { Config } from "../env.ts";
import { NOT_FOUND, type Refusal } from "../errors.ts";
import { ledgerOf } from "../ledger/client.ts";
import { METRICS_FLUSH_MS, REFUSALS_GATHERED_MAX_COUNT } from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import { type Caller, nameOf } from "../schema/caller.ts";
import { PLATFORM_ORG } from "../schema/names.ts";

type Refused = { org: string | null; caller: Caller | null; refusal: Refusal | null };
type Gathered = { log: string; key: string; code: Refusal["code"]; calls: number };

/** Refused calls that no ledger was told of yet, by log, key and code: told one by one, each would cost a call of ours. */
const gathered = new Map<string, Gathered>();
let handedOverAt = 0;

/**
 * Leaves a trace of a refused call, after its answer: in the org's own log when its key lacked a scope, in `platform`
 * when the org was not the key's to see, as a count when there was no valid key. The first after a quiet time is handed
 * over at once, those that follow together: by whatever request comes METRICS_FLUSH_MS later, refused or not. Never throws.
 */
export async function sealRefusal(config: Config, refused: Refused): Promise<void> {
  gather(refused);
  const now = Date.now();
  const due = now - handedOverAt >= METRICS_FLUSH_MS || gathered.size >= REFUSALS_GATHERED_MAX_COUNT;
  if (gathered.size === 0 || !due) return;
  const taken = [...gathered.values()];
  gathered.clear();
  handedOverAt = now;
  await Promise.all(taken.map((one) => handOver(config, one)));
}

function gather({ org, caller, refusal }: Refused): void {
  if (refusal?.code === "unauthorized") {
    count("audit_unauthorized_total");
    add({ log: PLATFORM_ORG, key: "none", code: refusal.code });
  } else if (refusal?.code === "forbidden" && caller !== null) {
    add({ log: org ?? PLATFORM_ORG, key: nameOf(caller), code: refusal.code });
  } else if (refusal?.detail === NOT_FOUND.refusal.detail && org !== null && caller !== null) {
    // Never by the org that was asked for: its name is the caller's to invent.
    add({ log: PLATFORM_ORG, key: nameOf(caller), code: refusal.code });
  }
}

function add(refused: Omit<Gathered, "calls">): void {
  const id = `${refused.log}\0${refused.key}\0${refused.code}`;
  const held = gathered.get(id);
  if (held === undefined) gathered.set(id, { ...refused, calls: 1 });
  else held.calls += 1;
}

async function handOver(config: Config, { log: org, ...refused }: Gathered): Promise<void> {
  try {
    await ledgerOf(config, org).noteRefusal(org, refused);
  } catch (error) {
    log("warn", { message: "refused calls left no trace", org, ...refused, error: String(error) });
  }
}
