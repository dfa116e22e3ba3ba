import type { Batch, CutEvent } from "../schema/ledger.ts";
import type { Category } from "../schema/names.ts";

/**
 * The `event` section as sealed: what was sent of it, then the members the ledger adds. `category` is the decided one
 * and stands there when anybody chose it; `category_sent` is the client's word where it was overruled.
 */
export function eventSection(
  event: Pick<CutEvent, "event" | "category">,
  { batch, key, position, id }: { batch: Batch; key: string; position: number; id: string | null },
): { category: Category; text: string } {
  const category = event.category ?? "general";
  const added = JSON.stringify({
    ...(event.category === null ? {} : { category }),
    received_at: batch.received_at,
    delivery: batch.delivery,
    key,
    batch: batch.batch,
    position,
    ...(id === null ? {} : { id }),
  });
  return { category, text: `${event.event.slice(0, -1)},${added.slice(1)}` };
}
