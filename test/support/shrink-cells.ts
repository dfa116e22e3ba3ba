import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { configOf } from "../../src/env.ts";

const undo: (() => void)[] = [];

/** Makes every cell count as full for the ledgers of this run, by the setting they all read. */
export async function shrinkCells(org: string, bytes = 1): Promise<void> {
  await runInDurableObject(env.ORG_LEDGER.getByName(org), (instance) => {
    const config = configOf((instance as unknown as { env: Env }).env);
    const before = config.cellFullBytes;
    config.cellFullBytes = bytes;
    undo.push(() => {
      config.cellFullBytes = before;
    });
  });
}

export function unshrinkCells(): void {
  for (const one of undo.splice(0)) one();
}
