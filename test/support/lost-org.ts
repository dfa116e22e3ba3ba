import { env } from "cloudflare:workers";
import { append, batchOf } from "./append.ts";
import { archiveDue, untilProjected } from "./check-ledger.ts";
import { readLedger } from "./check/read-stores.ts";
import { createOrg, event } from "./client.ts";
import { snapshotOf } from "./rewind.ts";

/** What the act of a restored log says. */
export const restored = (entry: { sections: Record<string, { text: string }> } | undefined) =>
  JSON.parse(entry?.sections["metadata"]?.text ?? "null");

/**
 * An org of 3 entries, a snapshot of its ledger, then 4 more that are in R2 and 2 that are in D1 alone. Without
 * `archived`, the snapshot has its entries staged, and the first segment in R2 overlaps them.
 */
export async function lostOrg({ archived = true } = {}) {
  const org = await createOrg("lost");
  await append(org, batchOf([event(1, { id: "a-1" }), event(2)], { batch: "first" }));
  await untilProjected(org);
  if (archived) await archiveDue(org);
  const snapshot = await snapshotOf(org);
  const second = batchOf([event(3, { id: "a-3" }), event(4)], { batch: "second" });
  const receipts = await append(org, second);
  await append(org, batchOf([event(5), event(6, { id: "a-6" })], { batch: "third" }));
  await archiveDue(org);
  await append(org, batchOf([event(7), event(8, { id: "a-8" })], { batch: "fourth" }));
  await untilProjected(org);
  return { org, snapshot, second, receipts };
}

export async function placementOf(org: string) {
  const [placement] = (await readLedger(org)).placements;
  return { cell: env[placement?.cell as "CELL_0"], org_number: placement?.org_number ?? 0 };
}
