import { deleteSegments, LostSegment, readSegment, type Segment } from "../archive/segment.ts";
import { redactLine } from "../chain/redact.ts";
import { absenceCauseOf } from "../schema/keep.ts";
import { partOf } from "./removal-list.ts";
import type { RemoveWork } from "./remove.ts";

/** Listed entries of a segment, by index: those that a hold keeps, and those whose sections are gone. */
type Judged = { segment: Segment; held: Set<number>; gone: number[] };

/**
 * Takes away, of the segments an earlier log has of the same entries, those that lack what a hold keeps in another: they were written anew before
 * the hold came, and the old ones never went. Answers those that stay.
 */
export async function dropUnfinished(work: RemoveWork, segments: readonly Segment[]): Promise<readonly Segment[]> {
  if (segments.length === 1) return segments;
  const judged: Judged[] = [];
  for (const segment of segments) {
    try {
      judged.push(await judge(work, segment));
    } catch (error) {
      // What cannot be read says nothing, and stays.
      if (!(error instanceof LostSegment)) throw error;
    }
  }
  const unfinished = judged
    .filter((one) => judged.some((other) => isSameRange(one, other) && one.gone.some((index) => other.held.has(index))))
    .map(({ segment }) => segment);
  await deleteSegments(work.config.archive, unfinished);
  return segments.filter((segment) => !unfinished.includes(segment));
}

async function judge({ config, removal, list, holding }: RemoveWork, segment: Segment): Promise<Judged> {
  const { first, last } = segment;
  const lines = await readSegment(config.archive, segment);
  const judged: Judged = { segment, held: new Set(), gone: [] };
  for (const [index, sections] of partOf(list, { from: first, to: last + 1 })) {
    const line = lines[index - first] as string;
    if (redactLine(line, sections, absenceCauseOf(removal)) === line) judged.gone.push(index);
    else if (holding.covers({ log: removal.log, index, line })) judged.held.add(index);
  }
  return judged;
}

/** A segment that reaches further than another may be the only one of some entries. */
function isSameRange({ segment: a }: Judged, { segment: b }: Judged): boolean {
  return a.first === b.first && a.last === b.last;
}
