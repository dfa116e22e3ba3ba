import type { Config } from "../env.ts";
import { NOT_FOUND, type Refusal } from "../errors.ts";
import { ledgerOf } from "../ledger/client.ts";
import { METRICS_FLUSH_MS, REFUSALS_GATHERED_MAX_COUNT } from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import { type Caller, nameOf } from "../schema/caller.ts";
import { PLATFORM_ORG } from "../schema/names.ts";

type Refused = { org: string | null; caller: Caller | null; refusal: Refusal | null };
/** `calls` are those its log was not told of yet. */
type Gathered = { log: string; key: string; code: Refusal["code"]; calls: number; toldAt: number };

/** Refused calls of late, by log, key and code: told one by one, each repetition would cost a call of ours. */
const gathered = new Map<string, Gathered>();
let sweptAt = 0;

/**
 * Leaves a trace of a refused call, after its answer: in the org's own log when its key lacked a scope, in `platform`
 * when the org was not the key's to see, as a count when there was no valid key. The first of its kind is handed over at
 * once, its repetitions together: by whatever request comes METRICS_FLUSH_MS later, refused or not. Never throws.
 */
export async function sealRefusal(config: Config, refused: Refused): Promise<void> {
  const now = Date.now();
  const one = gather(refused);
  const all = isPast(sweptAt, now) || gathered.size >= REFUSALS_GATHERED_MAX_COUNT;
  if (all) await Promise.all(sweep(now).map((kind) => tell(config, kind, now)));
  else if (one !== null && isPast(one.toldAt, now)) await tell(config, one, now);
}

/** Whether what was done `at` may be done again; also when the clock was set back since. */
function isPast(at: number, now: number): boolean {
  return now < at || now - at >= METRICS_FLUSH_MS;
}

/** All that a log was not told of yet. What was told and not seen again is forgotten. */
function sweep(now: number): Gathered[] {
  sweptAt = now;
  const untold = [...gathered.values()].filter(({ calls }) => calls > 0);
  const full = gathered.size >= REFUSALS_GATHERED_MAX_COUNT;
  for (const [id, { calls, toldAt }] of gathered) {
    if (full || (calls === 0 && isPast(toldAt, now))) gathered.delete(id);
  }
  return untold;
}

function gather({ org, caller, refusal }: Refused): Gathered | null {
  if (refusal?.code === "unauthorized") {
    count("audit_unauthorized_total");
    return add({ log: PLATFORM_ORG, key: "none", code: refusal.code }, 1);
  }
  if (refusal?.code === "forbidden" && caller !== null) {
    return add({ log: org ?? PLATFORM_ORG, key: nameOf(caller), code: refusal.code }, 1);
  }
  if (refusal?.detail !== NOT_FOUND.refusal.detail || org === null || caller === null) return null;
  // Never by the org that was asked for: its name is the caller's to invent.
  return add({ log: PLATFORM_ORG, key: nameOf(caller), code: refusal.code }, 1);
}

function add({ log: of, key, code }: Omit<Gathered, "calls" | "toldAt">, calls: number): Gathered {
  const id = `${of}\0${key}\0${code}`;
  const held = gathered.get(id) ?? { log: of, key, code, calls: 0, toldAt: 0 };
  held.calls += calls;
  gathered.set(id, held);
  return held;
}

async function tell(config: Config, kind: Gathered, now: number): Promise<void> {
  const { log: org, key, code, calls } = kind;
  kind.calls = 0;
  kind.toldAt = now;
  try {
    const noted = await ledgerOf(config, org).noteRefusal(org, { key, code, calls });
    if (noted.ok) return;
    log("warn", { message: "refused calls were not noted yet", org, key, code, calls, error: noted.refusal.detail });
  } catch (error) {
    log("warn", { message: "refused calls were not noted yet", org, key, code, calls, error: String(error) });
  }
  add(kind, calls);
}
