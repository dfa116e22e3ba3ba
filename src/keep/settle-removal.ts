import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import type { Removal } from "../schema/keep.ts";

/** Tells the ledger that what it released last is gone from R2; `over`: that the whole removal is. Throws when it does not answer. */
export async function settleRemoval(
  config: Config,
  org: string,
  { removal, over }: { removal: Removal; over: boolean },
): Promise<void> {
  const settled = await callLedger(config, org, async (ledger) => await ledger.settleRemoval(org, removal, { over }));
  if (!settled.ok) throw new Error(settled.refusal.detail);
}
