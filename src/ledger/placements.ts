import { assert } from "../errors.ts";
import { type Fence, openRange, readFence } from "../store/cell.ts";
import { savePlacement } from "../store/placement-table.ts";
import { count } from "../meter.ts";
import type { LedgerPlacement } from "../schema/ledger.ts";
import type { Core } from "./core.ts";
import { saveEarlier } from "./earlier.ts";
import { transact } from "./transact.ts";

/** How far D1 is: the fence of the first placement that is not yet filled up to the next one, else of the last. */
export async function fenceOf(core: Core): Promise<Fence> {
  const { placements } = core.state;
  let reached: Fence = { next: 0, head_mac: null };
  for (const [n, placement] of placements.entries()) {
    const cell = await openPlaced(core, placement);
    const fence = (await readFence(cell, placement.org_number)) ?? { next: placement.first_index, head_mac: null };
    // A range that was only opened goes on where the one before it ends.
    const begins = fence.next === placement.first_index && fence.next === reached.next;
    reached = begins ? reached : fence;
    const next = placements[n + 1];
    if (next !== undefined && reached.next < next.first_index) break;
  }
  return reached;
}

/** The first index that is not in D1. */
export async function projectedUpTo(core: Core): Promise<number> {
  await openEarlier(core);
  return (await fenceOf(core)).next;
}

/**
 * The cell of a placement, with its range open in it. A cell that was made anew, or restored to before this org, begins
 * again at the placement's first index; the number it gives the log may be another one then, and is kept from there on.
 */
export async function openPlaced(core: Core, placement: LedgerPlacement): Promise<D1Database> {
  const { state, storage, config } = core;
  const { cell, orgNumber } = await rangeOf(core, placement);
  if (orgNumber !== placement.org_number) {
    transact(core, () =>
      storage.sql.exec("update placement set org_number = ? where first_index = ?", orgNumber, placement.first_index),
    );
    placement.org_number = orgNumber;
    await savePlacement(config.directory, { org: state.org.org, ...placement });
  }
  return cell;
}

/** The same for the logs before this one: under the number they had then, the cell may have rows of another org by now. */
async function openEarlier(core: Core): Promise<void> {
  const { state, storage, config } = core;
  for (const earlier of state.earlier) {
    for (const placement of earlier.placements) {
      const { orgNumber } = await rangeOf(core, placement);
      if (orgNumber === placement.org_number) continue;
      placement.org_number = orgNumber;
      transact(core, () => saveEarlier(storage.sql, earlier));
      await savePlacement(config.directory, { org: state.org.org, ...placement });
    }
  }
}

async function rangeOf({ config }: Core, placement: LedgerPlacement): Promise<{ cell: D1Database; orgNumber: number }> {
  const cell = config.cells.get(placement.cell);
  if (cell === undefined) throw new Error(`binding ${placement.cell} is missing`);
  return { cell, orgNumber: await openRange(cell, placement) };
}

/**
 * Sends entries from the fence on to the next cell that is not in use yet; nothing that is placed moves. Without such a
 * cell everything stays where it is, and the metric asks the operator for one.
 */
export async function openPlacement(core: Core, { after }: { after: LedgerPlacement }) {
  const { state, config } = core;
  const first_index = state.projected ?? 0;
  const used = new Set(state.placements.map(({ cell }) => cell));
  const free = [...config.cells].find(([name]) => !used.has(name));
  if (free === undefined || state.placements.at(-1) !== after) {
    if (free === undefined) count("audit_cells_full_total");
    return;
  }
  const [name, cell] = free;
  const org_number = await openRange(cell, { log: state.org.log, first_index });
  const placement = { log: state.org.log, first_index, cell: name, org_number };
  // A crash before this row leaves an empty range in the cell: the next run finds and uses it.
  transact(core, () => savePlaced(core.storage.sql, placement));
  state.placements.push(placement);
  await savePlacement(config.directory, { org: state.org.org, ...placement });
}

/** Enters a placement in the ledger; one that begins at the same index stays as it is. */
export function savePlaced(sql: SqlStorage, { first_index, log, cell, org_number }: LedgerPlacement): void {
  sql.exec(
    "insert into placement (first_index, log, cell, org_number) values (?, ?, ?, ?) on conflict do nothing",
    first_index,
    log,
    cell,
    org_number,
  );
}

/** The placement that holds `index`, and the first index of the next one. */
export function placementAt(placements: readonly LedgerPlacement[], index: number) {
  const next = placements.findIndex(({ first_index }) => first_index > index);
  const placement = placements.at(next === -1 ? -1 : next - 1);
  assert(placement !== undefined && placement.first_index <= index, "every index has a placement");
  return { placement, until: placements[next]?.first_index ?? Number.MAX_SAFE_INTEGER };
}
