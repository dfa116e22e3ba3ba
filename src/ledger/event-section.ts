import type { Batch, CutEvent } from "../schema/ledger.ts";
import type { Category } from "../schema/names.ts";

/** `ruled`: the category that the org's policy gives the action; null when it gives none. */
type Sealing = { batch: Batch; key: string; position: number; id: string | null; ruled: Category | null };

/**
 * The `event` section as sealed: what was sent of it, then the members the ledger adds. `category` is the decided one
 * and stands there when anybody chose it; `category_sent` is the client's word where it was overruled.
 */
export function eventSection(
  event: Pick<CutEvent, "event" | "category">,
  { batch, key, position, id, ruled }: Sealing,
): { category: Category; text: string } {
  const { category: sent } = event;
  const category = ruled ?? sent ?? "general";
  const added = JSON.stringify({
    ...(ruled === null && sent === null ? {} : { category }),
    ...(sent === null || sent === category ? {} : { category_sent: sent }),
    received_at: batch.received_at,
    delivery: batch.delivery,
    key,
    batch: batch.batch,
    position,
    ...(id === null ? {} : { id }),
  });
  return { category, text: `${event.event.slice(0, -1)},${added.slice(1)}` };
}
