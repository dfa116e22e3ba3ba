import type { Leaf } from "../chain/leaf.ts";
import type { EntryRecord } from "../chain/record.ts";

/** An entry that was to be kept until before a day, and the names of what it still holds. */
export type Expired = { index: number; sections: string[] } & Pick<Leaf, "category" | "keep_until" | "sequenced_at">;

/** What of a segment has expired by `day`, and the earliest day anything of it is kept until; `forever` where nothing can go. */
export function findExpired(
  lines: readonly string[],
  { first, day }: { first: number; day: string },
): { expired: (Expired & { line: string })[]; keep_until: string } {
  const expired: (Expired & { line: string })[] = [];
  let earliest = "forever";
  for (const [n, line] of lines.entries()) {
    const record = JSON.parse(line) as EntryRecord;
    const sections = Object.keys(record.sections);
    if (sections.length === 0) continue;
    const { category, keep_until, sequenced_at } = JSON.parse(record.leaf) as Leaf;
    // Letters come after digits: what is kept for ever is kept longer than until any day.
    if (keep_until < earliest) earliest = keep_until;
    // The last day it is kept has to be over.
    if (keep_until < day) expired.push({ index: first + n, line, category, keep_until, sequenced_at, sections });
  }
  return { expired, keep_until: earliest };
}
