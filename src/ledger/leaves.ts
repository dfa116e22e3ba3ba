import { assert } from "../errors.ts";
import type { Core } from "./core.ts";
import { linesFrom } from "./lines.ts";

/** The leaf texts of entries `[from, to)`, in order. Record lines are let go of page by page: they are many times as long. */
export async function leavesOf(core: Core, { from, to }: { from: number; to: number }): Promise<string[]> {
  const leaves: string[] = [];
  while (from + leaves.length < to) {
    const at = from + leaves.length;
    const found = await linesFrom(core, at, to - at);
    assert(found !== null && found.lines.length > 0, "there are entries below the head");
    for (const line of found.lines) leaves.push((JSON.parse(line) as { leaf: string }).leaf);
  }
  return leaves;
}
