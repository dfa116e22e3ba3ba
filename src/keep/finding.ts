import { type Leaf, parseLeaf } from "../chain/leaf.ts";
import { parseRecord } from "../chain/open.ts";
import type { EntryRecord } from "../chain/record.ts";

/**
 * A row that a repair found: `found` is its text, `record` what that is, null when nobody can read it. `place`: as the entry it says it is, or else
 * as the one in whose place it was.
 */
export type Finding = {
  found: string;
  record: EntryRecord | null;
  leaf: Leaf | null;
  place: { log: number; index: number; line: string };
};

/** Reads a piece of evidence, whatever it holds. */
export function readFinding(text: string, logs: readonly { number: number; log: string }[]): Finding {
  const { found: said, ...kept } = parsed(text) ?? { found: text };
  const found = typeof said === "string" ? said : "";
  const record = parseRecord(found);
  const read = parseLeaf(record?.leaf ?? "");
  const leaf = read.kind === "leaf" ? read.leaf : null;
  const { log, index = 0 } = leaf ?? kept;
  return { found, record, leaf, place: { log: logs.find((one) => one.log === log)?.number ?? 1, index, line: found } };
}

/** What a repair writes down of a row that it found. */
type Kept = { log?: string; index?: number; found?: unknown };

function parsed(text: string): Kept | null {
  try {
    return JSON.parse(text) as Kept;
  } catch {
    return null;
  }
}
