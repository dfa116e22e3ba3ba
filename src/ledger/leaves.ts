import { leafOf } from "../chain/record.ts";
import { openTileFrom } from "../chain/tile.ts";
import { assert } from "../errors.ts";
import type { Core } from "./core.ts";
import type { EarlierLog } from "./earlier.ts";
import { linesFrom } from "./lines.ts";

type Range = { from: number; to: number };

/**
 * The leaf texts of entries `[from, to)`, in order, of the org's log of this number, or of its newest. Of a log before the
 * newest only the leaves under its open tile are kept.
 */
export async function leavesOf(core: Core, { from, to }: Range, log: number | null = null): Promise<string[]> {
  const earlier = core.state.earlier.find(({ number }) => number === log);
  if (earlier !== undefined) return frozenLeaves(earlier, { from, to });
  const leaves: string[] = [];
  while (from + leaves.length < to) {
    leaves.push(...(await leavesFrom(core, { from: from + leaves.length, to })));
  }
  return leaves;
}

/**
 * The first of them, at least one: a page of staged rows, or what one segment holds, which is read and unpacked whole.
 * Record lines are let go of with their page: they are many times as long.
 */
export async function leavesFrom(core: Core, { from, to }: Range): Promise<string[]> {
  const found = await linesFrom(core, from, to - from);
  assert(found !== null && found.lines.length > 0, "there are entries below the head");
  return found.lines.map(leafOf);
}

function frozenLeaves({ tree }: EarlierLog, { from, to }: Range): string[] {
  const open = openTileFrom(tree.size);
  assert(tree.top !== null && from >= open && to <= tree.size, "a frozen log has the leaves of its open tile");
  return tree.top.leaves.slice(from - open, to - open);
}
