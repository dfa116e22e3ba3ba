import { openSealed } from "../chain/open-sealed.ts";
import type { Leaf } from "../chain/leaf.ts";
import { leafOf } from "../chain/record.ts";
import { cellOf, logOf } from "../query/logs.ts";
import { rangesOf } from "../query/spans.ts";
import { type Redacted, redactRows, rowsAt } from "../store/redact-rows.ts";
import { clearRows, findStrays, type Stray } from "../store/stray-rows.ts";
import { monthOf, slotOf } from "../store/slot.ts";
import { termKeyOf, termsOf } from "../store/terms.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import type { RemoveWork } from "./remove.ts";

type Lines = ReadonlyMap<number, string>;

/** A slot of a cell whose search index has to be written anew. */
export type TouchedSlot = { cell: string; slot: string };

/**
 * Makes rows of D1, and their search tokens, what the ledger's lines are by now, and takes out rows that lie in slots of other months. These go
 * only from slots that are `known` already to be merged: a crash must not leave their tokens in pages nobody merges. `late`: some entry has no
 * row and may be projected any moment from a line that was read before; it has to be looked at again.
 */
export async function removeFromRows(
  { config, org, log }: RemoveWork,
  { lines, known }: { lines: Lines; known: readonly TouchedSlot[] },
): Promise<{ changed: boolean; late: boolean; slots: TouchedSlot[] }> {
  const done = { changed: false, late: false, slots: [] as TouchedSlot[] };
  const indexes = [...lines.keys()];
  if (indexes.length === 0) return done;
  const range = { low: Math.min(...indexes), high: Math.max(...indexes) + 1 };
  const termKey = termKeyOf(config.indexKey, org);
  let there = 0;
  for (const { placement, low, high } of rangesOf(log.placements, range, "asc")) {
    const cell = cellOf(config, placement);
    const here = indexes.filter((index) => index >= low && index < high);
    const own = bySlot(here, lines);
    const strays = await findStrays(cell, placement.org_number, own);
    const isKnown = (stray: Stray) => known.some(({ cell: of, slot }) => of === placement.cell && slot === stray.slot);
    await clearRows(cell, placement.org_number, strays.filter(isKnown));
    for (const { slot } of strays) done.slots.push({ cell: placement.cell, slot });
    done.changed ||= strays.length > 0;
    for (const [slot, some] of own) {
      const at = { orgNumber: placement.org_number, slot };
      const rows = await rowsAt(cell, at, some);
      there += rows.length;
      const redacted = rows.flatMap(({ index, line: held }): Redacted[] => {
        const line = lines.get(index) as string;
        return held === line ? [] : [{ index, line, terms: termsOf(termKey, openSealed(line)) }];
      });
      await redactRows(cell, at, redacted);
      // Tokens may still lie in pages of the index though a call before this one took the rows out.
      if (rows.length > 0) done.slots.push({ cell: placement.cell, slot });
      done.changed ||= redacted.length > 0;
    }
  }
  if (there < indexes.length) {
    const fresh = logOf(await grantFor(config, org), log.number);
    done.late = !fresh.ok || fresh.value.visible < range.high;
  }
  return done;
}

/** Indexes by the slot of the month their entries were sequenced in. */
function bySlot(indexes: readonly number[], lines: Lines): Map<string, number[]> {
  const slots = new Map<string, number[]>();
  for (const index of indexes) {
    const { sequenced_at } = JSON.parse(leafOf(lines.get(index) as string)) as Leaf;
    const slot = slotOf(monthOf(sequenced_at));
    slots.set(slot, [...(slots.get(slot) ?? []), index]);
  }
  return slots;
}
