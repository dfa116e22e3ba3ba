import type { Config } from "../env.ts";
import type { Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import type { Caller } from "../schema/caller.ts";
import type { Quarantine, QuarantineAct } from "../schema/reads.ts";

/** An org's quarantines: all that stand, then those released last. */
export function listQuarantines(config: Config, org: string, caller: Caller): Promise<Result<Quarantine[]>> {
  return callLedger(config, org, async (ledger) => await ledger.quarantines(org, caller));
}

/**
 * Puts a window of entries under quarantine (from the next read on it is shown with every section withheld), lifts one, or adds a note to
 * one. Entries of a window that another quarantine covers stay withheld.
 */
export function actOnQuarantine(
  config: Config,
  org: string,
  { caller, act }: { caller: Caller; act: QuarantineAct },
): Promise<Result<Quarantine>> {
  return callLedger(config, org, async (ledger) => await ledger.actOnQuarantine(org, caller, act));
}
