import { deleteSegments, LostSegment, readSegment, type Segment } from "../archive/segment.ts";
import { redactLine } from "../chain/redact.ts";
import { absenceCauseOf } from "../schema/keep.ts";
import type { RemoveWork } from "./remove.ts";

type Copy = { segment: Segment; lines: string[] };

/**
 * Takes away, of the segments an earlier log has of the same entries, those that are another one without what a hold keeps in it: they were written
 * anew by this removal before the hold came, and the old ones never went. Answers those that stay.
 */
export async function dropUnfinished(work: RemoveWork, segments: readonly Segment[]): Promise<readonly Segment[]> {
  if (segments.length === 1) return segments;
  const copies: Copy[] = [];
  for (const segment of segments) {
    try {
      copies.push({ segment, lines: await readSegment(work.config.archive, segment) });
    } catch (error) {
      // What cannot be read says nothing, and stays.
      if (!(error instanceof LostSegment)) throw error;
    }
  }
  const unfinished = copies
    .filter((copy) => copies.some((whole) => isUnfinished(work, { whole, copy })))
    .map(({ segment }) => segment);
  await deleteSegments(work.config.archive, unfinished);
  return segments.filter((segment) => !unfinished.includes(segment));
}

/** Whether a copy is a whole one but for what this removal took, of which a hold keeps something. What lacks more may be the only one that does. */
function isUnfinished({ removal, list, holding }: RemoveWork, { whole, copy }: { whole: Copy; copy: Copy }): boolean {
  const { first, last } = whole.segment;
  // A segment that reaches further than another may be the only one of some entries.
  if (copy.segment.first !== first || copy.segment.last !== last) return false;
  let held = false;
  for (const [at, line] of whole.lines.entries()) {
    if (copy.lines[at] === line) continue;
    const index = first + at;
    if (copy.lines[at] !== redactLine(line, list.get(index) ?? [], absenceCauseOf(removal))) return false;
    held ||= holding.covers({ log: removal.log, index, line });
  }
  return held;
}
