import { PAGE_MAX_BYTES, RESTORE_PAGE_ENTRIES } from "../limits.ts";
import { readEntries } from "../store/list-entries.ts";
import { follow } from "./continue-chain.ts";
import type { Core } from "./core.ts";
import { openPlaced, placementAt } from "./placements.ts";
import type { Head } from "./state.ts";
import { inNoStore, takeOver, unvouched } from "./take-over.ts";

/** Lines of D1 that follow a head, the head after them, and why there are no more. */
type Page = { lines: string[]; head: Head; stuck: string };

/**
 * Takes over rows of D1 up to `until`, oldest first, if the head they lead to is `vouched` for. They are read twice: only
 * their end is vouched for, and there may be more than memory takes. Answers null, or why nothing was taken.
 */
export async function takeRows(
  core: Core,
  { until, vouched }: { until: number; vouched: (head: Head) => boolean },
): Promise<string | null> {
  const { state } = core;
  const from = state.head.size;
  if (from >= until) return null;
  const heads: Head[] = [];
  for (let head = state.head; head.size < until; heads.push(head)) {
    const page = await readPage(core, head, until);
    if (page.lines.length === 0) return page.stuck;
    head = page.head;
  }
  const end = heads.at(-1);
  if (end === undefined || !vouched(end)) return unvouched({ store: "D1", from, to: until - 1 });
  for (const expected of heads) {
    const first = state.head.size;
    const { lines } = await readPage(core, state.head, expected.size);
    const same = ({ prev }: Head) => prev === expected.prev;
    const misfit = takeOver(core, { store: "D1", first, lines, segment: null, vouched: same });
    if (misfit !== null) return misfit;
  }
  return null;
}

/** The entries from a head on, as far as one page of D1 reaches and they follow one another. */
async function readPage(core: Core, head: Head, until: number): Promise<Page> {
  const first = head.size;
  const { placement, until: edge } = placementAt(core.state.placements, first);
  const cell = await openPlaced(core, placement);
  const found = new Map<number, string[]>();
  for (let top = Math.min(first + RESTORE_PAGE_ENTRIES, until, edge); top > first; ) {
    const rows = await readEntries(cell, { placement, low: first, high: top, limit_bytes: PAGE_MAX_BYTES });
    for (const { index, line } of rows) found.set(index, [...(found.get(index) ?? []), line]);
    top = rows.at(-1)?.index ?? first;
  }
  return chooseLines(core.state.org.log, head, found);
}

/** Of the rows at each index the one that follows. */
function chooseLines(log: string, from: Head, found: Map<number, string[]>): Page {
  const lines: string[] = [];
  for (let head = from; ; ) {
    const { size } = head;
    const rows = found.get(size);
    if (rows === undefined) return { lines, head, stuck: inNoStore(size, size) };
    const read = rows.map((line) => follow(log, head, line));
    const following = read.filter((one) => typeof one !== "string");
    const [next] = following;
    if (next === undefined) {
      const why = read.filter((one) => typeof one === "string").join("; ");
      return { lines, head, stuck: `entry ${size} in D1: ${why}` };
    }
    if (following.some(({ hash }) => hash !== next.hash)) {
      return { lines, head, stuck: `D1 holds two entries ${size} that both continue the chain` };
    }
    lines.push(next.line);
    head = { size: size + 1, prev: next.hash, sequencedAt: Date.parse(next.leaf.sequenced_at) };
  }
}
