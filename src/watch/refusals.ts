import type { Config } from "../env.ts";
import { NOT_FOUND, type Refusal } from "../errors.ts";
import { ledgerOf } from "../ledger/client.ts";
import { METRICS_FLUSH_MS } from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import { type Caller, nameOf } from "../schema/caller.ts";
import { PLATFORM_ORG } from "../schema/names.ts";

/** Attempts without a valid key, counted here and handed over together: junk must not cost a call each. */
const strangers = { calls: 0, handedOverAt: 0 };

/**
 * Leaves a trace of a refused call, after its answer: in the org's own log when its key lacked a scope, in `platform`
 * when the org was not the key's to see, as a count when there was no valid key. Never throws.
 */
export async function sealRefusal(
  config: Config,
  { org, caller, refusal }: { org: string | null; caller: Caller | null; refusal: Refusal | null },
): Promise<void> {
  if (refusal === null) return;
  try {
    if (refusal.code === "unauthorized") return await noteStranger(config);
    if (caller === null) return;
    const key = nameOf(caller);
    const foreign = refusal.code === "not_found" && refusal.detail === NOT_FOUND.refusal.detail && org !== null;
    if (refusal.code === "forbidden") await note(config, org ?? PLATFORM_ORG, { key, code: refusal.code, calls: 1 });
    else if (foreign) await note(config, PLATFORM_ORG, { key, code: refusal.code, calls: 1 });
  } catch (error) {
    log("warn", { message: "a refusal left no trace", code: refusal.code, error: String(error) });
  }
}

async function noteStranger(config: Config): Promise<void> {
  count("audit_unauthorized_total");
  strangers.calls += 1;
  const now = Date.now();
  if (now - strangers.handedOverAt < METRICS_FLUSH_MS) return;
  const { calls } = strangers;
  strangers.calls = 0;
  strangers.handedOverAt = now;
  await note(config, PLATFORM_ORG, { key: "none", code: "unauthorized", calls });
}

async function note(config: Config, org: string, refusal: { key: string; code: string; calls: number }): Promise<void> {
  await ledgerOf(config, org).noteRefusal(org, refusal);
}
