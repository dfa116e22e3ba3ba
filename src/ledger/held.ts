import { listSegments } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { assert } from "../errors.ts";
import type { LedgerPlacement } from "../schema/ledger.ts";
import { readFence } from "../store/cell.ts";

/** Whether R2 or D1 hold entries of a log, which lies in D1 at `placement`. Null when nobody knows: one is silent. */
export async function isLogHeld(
  config: Config,
  { log, cell: name, org_number }: LedgerPlacement,
): Promise<boolean | null> {
  const cell = config.cells.get(name);
  assert(cell !== undefined, "a new placement names a bound cell");
  const [fence, segments] = await Promise.allSettled([
    readFence(cell, org_number),
    listSegments(config.archive, { log, from: 0, limit: 1 }),
  ]);
  if (fence.status === "fulfilled" && (fence.value?.next ?? 0) > 0) return true;
  if (segments.status === "fulfilled" && segments.value.length > 0) return true;
  return fence.status === "fulfilled" && segments.status === "fulfilled" ? false : null;
}
