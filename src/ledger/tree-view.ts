import { ok, refuse, type Result } from "../errors.ts";
import { PUBLISH_WAIT_MAX_MS } from "../limits.ts";
import type { TreeView } from "../schema/ledger.ts";
import type { Publisher } from "./publisher.ts";
import type { State } from "./state.ts";

/** The published tree as it is given out, of `minSize` entries or more: `publisher`, if there is one, makes it grow to that. */
export async function treeViewAt(
  state: State,
  { minSize, publisher, cosignatures }: { minSize: number; publisher: Publisher | null; cosignatures: () => string },
): Promise<Result<TreeView>> {
  if (publisher !== null && minSize > state.tree.size && minSize <= state.head.size) {
    await publisher.publishTo(minSize, PUBLISH_WAIT_MAX_MS);
  }
  const { org, tree } = state;
  if (minSize <= tree.size) {
    const note = tree.note === null ? null : tree.note + cosignatures();
    return ok({ log: org.log, size: tree.size, edge: tree.edge, note, public: org.settings.public_log });
  }
  const detail = `The newest checkpoint is of ${tree.size} entries; one of ${minSize} is not out yet.`;
  return refuse("overloaded", detail, { retry_after_s: 5 });
}
