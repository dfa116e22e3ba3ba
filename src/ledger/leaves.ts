import { TILE_WIDTH } from "../chain/tile.ts";
import { assert } from "../errors.ts";
import type { Core } from "./core.ts";
import type { EarlierLog } from "./earlier.ts";
import { linesFrom } from "./lines.ts";

/**
 * The leaf texts of entries `[from, to)`, in order, of the org's log of this number, or of its newest. Record lines are let go of page by page: they are many times
 * as long. Of a log before the newest only the leaves under its open tile are kept.
 */
export async function leavesOf(
  core: Core,
  { from, to }: { from: number; to: number },
  log: number | null = null,
): Promise<string[]> {
  const earlier = core.state.earlier.find(({ number }) => number === log);
  if (earlier !== undefined) return frozenLeaves(earlier, { from, to });
  const leaves: string[] = [];
  while (from + leaves.length < to) {
    const at = from + leaves.length;
    const found = await linesFrom(core, at, to - at);
    assert(found !== null && found.lines.length > 0, "there are entries below the head");
    for (const line of found.lines) leaves.push((JSON.parse(line) as { leaf: string }).leaf);
  }
  return leaves;
}

function frozenLeaves({ tree }: EarlierLog, { from, to }: { from: number; to: number }): string[] {
  const open = tree.size - (tree.size % TILE_WIDTH);
  assert(tree.top !== null && from >= open && to <= tree.size, "a frozen log has the leaves of its open tile");
  return tree.top.leaves.slice(from - open, to - open);
}
