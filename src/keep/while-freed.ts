import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { HOLD_WAIT_MS } from "../limits.ts";

/**
 * Lets `take` take what is no entry, which no hold of this version keeps: until it is gone, new holds wait. Answers whether it was taken; not where other
 * holds stand by now. `take` asks `inTime` before each thing: it throws when new holds may soon wait no longer. A crash, or a store that
 * fails, has them wait for a minute.
 */
export async function whileFreed(
  config: Config,
  org: string,
  { version, take }: { version: number; take: (inTime: () => void) => Promise<void> },
): Promise<boolean> {
  const asked = Date.now();
  const freed = await callLedger(config, org, async (ledger) => await ledger.freeElsewhere(org, version));
  if (!freed.ok && freed.refusal.code === "conflict") return false;
  if (!freed.ok) throw new Error(freed.refusal.detail);
  await take(() => {
    if (Date.now() - asked > HOLD_WAIT_MS / 2) throw new Error("what was let go of took too long to be taken");
  });
  const settled = await callLedger(config, org, async (ledger) => await ledger.settleElsewhere(org));
  if (!settled.ok) throw new Error(settled.refusal.detail);
  return true;
}
