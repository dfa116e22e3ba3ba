import { emptyRange } from "../store/cell.ts";
import type { Core } from "./core.ts";
import { transact } from "./transact.ts";
import { openPlaced } from "./placements.ts";

/**
 * Marks that the org's rows in D1 are to be made anew. The mark is durable before the first row goes: a crash anywhere
 * leaves it, and projection goes on emptying before it projects.
 */
export function beginRebuild(core: Core): void {
  const { sql } = core.storage;
  transact(core, () =>
    sql.exec("insert into rebuild (only, started_at) values (0, ?) on conflict do nothing", core.now()),
  );
  core.state.rebuilding = true;
}

/** Empties the org's rows in all its cells and takes the mark away. A cell that lost the org gets its range again. */
export async function emptyD1(core: Core): Promise<void> {
  const { state, storage } = core;
  for (const placement of state.placements) {
    const cell = await openPlaced(core, placement);
    while (!(await emptyRange(cell, placement.org_number, placement)).done);
  }
  transact(core, () => storage.sql.exec("delete from rebuild"));
  state.rebuilding = false;
}
