import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import type { Caller } from "../schema/caller.ts";

/** Whether a page may read what an org answers this caller: never of an org that the caller is not of. Never throws. */
export async function maySeeAnswers(
  config: Config,
  org: string,
  { caller, origin }: { caller: Caller; origin: string },
): Promise<boolean> {
  try {
    const origins = await callLedger(config, org, async (ledger) => await ledger.corsOrigins(org, caller));
    return origins.ok && origins.value.includes(origin);
  } catch {
    return false;
  }
}
