import { findBatch, saveBatch } from "./receipts.ts";
import type { Planning } from "./sequencer.ts";

/**
 * Seals what was not sealed under this name before, and answers the index of the first (null: nothing was sealed). The name is kept as that of a
 * batch without events: that of the message which brought it, or, with two spaces in it, one that is no client's.
 */
export function planOnce<N extends number | null>(
  { sql, draft, receipts, now }: Pick<Planning, "draft" | "receipts" | "now"> & { sql: SqlStorage },
  name: string,
  seal: () => N,
): N | number {
  const before = receipts.batches.get(name) ?? findBatch(sql, name);
  if (before !== null) return before.first;
  const first = seal();
  if (first === null) return first;
  const receipt = { first, count: 0, print: null, sequencedAt: now, hashes: new Uint8Array() };
  receipts.batches.set(name, receipt);
  draft.write((target) => saveBatch(target, name, receipt));
  return first;
}
