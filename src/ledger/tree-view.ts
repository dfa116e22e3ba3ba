import { NOT_FOUND, ok, refuse, type Result } from "../errors.ts";
import { PUBLISH_WAIT_MAX_MS } from "../limits.ts";
import type { TreeView } from "../schema/ledger.ts";
import type { EarlierLog } from "./earlier.ts";
import type { Publisher } from "./publisher.ts";
import type { State } from "./state.ts";

/**
 * The published tree of the org's log of this number as it is given out, of `minSize` entries or more: `publisher`, if there
 * is one, makes the newest log's grow to that.
 */
export async function treeViewAt(
  state: State,
  {
    minSize,
    log,
    publisher,
    cosignatures,
  }: { minSize: number; log: number | null; publisher: Publisher | null; cosignatures: () => string },
): Promise<Result<TreeView>> {
  const earlier = state.earlier.find(({ number }) => number === log);
  if (earlier !== undefined) return frozenView(earlier, { minSize, open: state.org.settings.public_log });
  if (log !== null && log !== state.earlier.length + 1) return NOT_FOUND;
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

/** The tree of a log that was continued: it does not grow any more. */
function frozenView(
  { log, tree }: EarlierLog,
  { minSize, open }: { minSize: number; open: boolean },
): Result<TreeView> {
  if (minSize > tree.size) {
    return refuse(
      "unprocessable",
      `This log was continued as another: its last checkpoint is of ${tree.size} entries.`,
    );
  }
  const { note, top } = tree;
  // Without its top no part of it can be proven: only the checkpoint is given out.
  const { size, edge } = top === null ? { size: 0, edge: new Uint8Array(0) } : { size: tree.size, edge: top.edge };
  return ok({ log, size, edge, note, public: open });
}
