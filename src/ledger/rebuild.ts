import { emptyRange } from "../store/cell.ts";
import type { Core } from "./core.ts";

/** Whether D1 is being emptied, or was when the object was last stopped. Kept in memory beside its row. */
export function rebuilding(core: Core): boolean {
  return core.state.rebuilding;
}

/**
 * Empties the org's rows in all its cells, so that projection makes them anew. The mark is durable before the first row
 * goes: a crash anywhere leaves it, and the next start goes on emptying before anything is projected.
 */
export async function emptyD1(core: Core, { begin }: { begin: boolean }): Promise<void> {
  const { state, storage, config } = core;
  if (begin) {
    storage.sql.exec("insert into rebuild (only, started_at) values (0, ?) on conflict do nothing", core.now());
    state.rebuilding = true;
  }
  for (const { cell, org_number, first_index } of state.placements) {
    const database = config.cells.get(cell);
    if (database === undefined) throw new Error(`binding ${cell} is missing`);
    while (!(await emptyRange(database, org_number, { first_index })).done);
  }
  storage.sql.exec("delete from rebuild");
  state.rebuilding = false;
}
