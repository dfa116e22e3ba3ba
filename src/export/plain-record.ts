import { type Leaf, parseLeaf } from "../chain/leaf.ts";
import { readRecord, withholdPersonal } from "../chain/open.ts";
import type { EntryRecord } from "../chain/record.ts";

/**
 * The record of a line for who asks nothing of its sections: they are not read, which is half of the work. Null for a line that
 * is not plainly this entry of this log: `openRow` says what it is.
 */
export function plainRecord(
  { index, line }: { index: number; line: string },
  { log, personal }: { log: string; personal: boolean },
): EntryRecord | null {
  const { leaf: text, sections, absent, exact } = readRecord(line);
  if (text === null || !exact) return null;
  const parsed = parseLeaf(text);
  if (parsed.kind !== "leaf" || !isOf(parsed.leaf, { log, index })) return null;
  // Exact means that no section is null.
  const whole = sections as EntryRecord["sections"];
  const record = absent.length === 0 ? { leaf: text, sections: whole } : { leaf: text, sections: whole, absent };
  return personal ? record : withholdPersonal(record);
}

function isOf(leaf: Leaf, { log, index }: { log: string; index: number }): boolean {
  return leaf.log === log && leaf.index === index;
}
