import { headMacOf, LostSegment, readSegment, type Segment } from "../archive/segment.ts";
import { readRow } from "../chain/verify-row.ts";
import { sha256 } from "../sha256.ts";
import { continueChain } from "./continue-chain.ts";
import type { Core } from "./core.ts";
import { isHeadMac } from "./head-mac.ts";
import type { Head } from "./state.ts";
import { inNoStore, takeOver, unvouched } from "./take-over.ts";
import { takeRows } from "./take-rows.ts";

/**
 * Takes over the part of a segment that lies beyond the head, and from D1, which reaches to `fence`, what is missing before it. Answers null, or why
 * the ledger does not reach its end.
 */
export async function takeSegment(core: Core, segment: Segment, fence: number): Promise<string | null> {
  const { config, state } = core;
  const { first, last } = segment;
  const known = Math.max(state.head.size, fence);
  if (first > known) return inNoStore(known, first - 1);
  let lines: string[];
  let mac: string | null;
  try {
    [lines, mac] = await Promise.all([readSegment(config.archive, segment), headMacOf(config.archive, segment)]);
  } catch (error) {
    // What did not answer may yet hold it.
    if (error instanceof LostSegment) return error.message;
    throw error;
  }
  const vouched = (head: Head) => isHeadMac(config, state.org.log, { head, mac });
  if (first > state.head.size) {
    const before = headBefore(core, { first, lines });
    if (typeof before === "string") return before;
    if (!vouched(before.end)) return unvouched({ store: "R2", from: first, to: last });
    const misfit = await takeRows(core, { until: first, vouched: ({ prev }) => prev === before.prev });
    if (misfit !== null) return misfit;
  }
  return takeOver(core, { store: "R2", first, lines, segment, vouched });
}

/** The entry hash that a run of lines continues, and the head at its end; or why it is no run. */
function headBefore(
  { state }: Core,
  { first, lines }: { first: number; lines: readonly string[] },
): { prev: string; end: Head } | string {
  const row = readRow(sha256, state.org.log, { index: first, line: lines[0] ?? "" });
  if (row.claim !== "own") return `entry ${first} in R2: it is no entry of this log at this index`;
  const { prev } = row.leaf;
  const run = continueChain(state.org.log, { size: first, prev, sequencedAt: 0 }, lines);
  return run.ok ? { prev, end: run.head } : `entry ${run.misfit.index} in R2: ${run.misfit.why}`;
}
