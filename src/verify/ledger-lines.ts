import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";

/** Record lines of entries `[first, high)` from the ledger's own stores, whatever D1 holds. */
export async function ledgerLines(
  config: Config,
  org: string,
  { first, high }: { first: number; high: number },
): Promise<string[]> {
  const lines: string[] = [];
  while (first + lines.length < high) {
    const from = first + lines.length;
    const found = await callLedger(config, org, async (ledger) => await ledger.linesFrom(org, from, high - from));
    if (!found.ok || found.value === null) throw new Error("the ledger gave out no lines for entries below its head");
    lines.push(...found.value.lines);
  }
  return lines;
}
