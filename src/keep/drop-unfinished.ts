import { deleteSegments, type Segment } from "../archive/segment.ts";
import { redactLine } from "../chain/redact.ts";
import { absenceCauseOf } from "../schema/keep.ts";
import { readThere } from "./read-there.ts";
import { partOf } from "./removal-list.ts";
import type { RemoveWork } from "./remove.ts";

/**
 * Takes away, of the segments an earlier log has of the same entries, those that lack what a hold keeps in another: they were written anew before
 * the hold came, and the old ones never went. Answers those that stay.
 */
export async function dropUnfinished(
  { config, org, removal, log, newest, list, holding }: RemoveWork,
  copies: readonly Segment[],
): Promise<readonly Segment[]> {
  if (copies.length === 1) return copies;
  const held = new Set<number>();
  const lacking = new Map<Segment, number[]>();
  for (const segment of copies) {
    const { first, last } = segment;
    const lines = await readThere(config, org, { of: { log: { ...log, number: removal.log }, newest }, segment });
    if (lines === null) continue;
    for (const [index, sections] of partOf(list, { from: first, to: last + 1 })) {
      const line = lines[index - first] as string;
      const lacks = redactLine(line, sections, absenceCauseOf(removal)) === line;
      if (lacks) lacking.set(segment, [...(lacking.get(segment) ?? []), index]);
      else if (holding.covers({ log: removal.log, index, line })) held.add(index);
    }
  }
  const unfinished = copies.filter((segment) => lacking.get(segment)?.some((index) => held.has(index)) === true);
  await deleteSegments(config.archive, unfinished);
  return copies.filter((segment) => !unfinished.includes(segment));
}
