import { CELLS } from "./faults.ts";
import { SLOTS } from "./check/read-stores.ts";

/** Empties every slot of every cell: other tests' orgs, which no one asks any more, would keep them from being dropped. */
export async function emptySlots(): Promise<void> {
  for (const cell of CELLS) {
    await cell.batch(
      SLOTS.flatMap((slot) => [
        cell.prepare(`delete from entry_${slot}`),
        cell.prepare(`insert into term_${slot} (term_${slot}) values ('delete-all')`),
      ]),
    );
  }
}
