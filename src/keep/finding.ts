import { parseLeaf } from "../chain/leaf.ts";
import { parseRecord } from "../chain/open.ts";
import type { EntryRecord } from "../chain/record.ts";

type Place = { log: number; index: number };

/**
 * A row that a repair found: `found` is its text, `record` what that is, null when nobody can read it. `at`: the entry in whose place it was, which
 * the repair says; null of what is none of ours. `places`: there, and as the entry that it says it is, which who wrote it chose.
 */
export type Finding = {
  found: string;
  record: EntryRecord | null;
  at: Place | null;
  places: (Place & { line: string })[];
};

/** Reads a piece of evidence, whatever it holds. */
export function readFinding(text: string, logs: readonly { number: number; log: string }[]): Finding {
  const { found: said, log, index } = parsed(text) ?? { found: text };
  const found = typeof said === "string" ? said : "";
  const record = parseRecord(found);
  const claimed = parseLeaf(record?.leaf ?? "");
  const numberOf = (name: unknown) => logs.find((one) => one.log === name)?.number ?? 1;
  const at = typeof index === "number" ? { log: numberOf(log), index } : null;
  const places = at === null ? [] : [{ ...at, line: found }];
  if (claimed.kind === "leaf") {
    places.push({ log: numberOf(claimed.leaf.log), index: claimed.leaf.index, line: found });
  }
  return { found, record, at, places: places.length > 0 ? places : [{ log: 1, index: 0, line: found }] };
}

/** What a repair writes down of a row that it found. */
type Kept = { log?: unknown; index?: unknown; found?: unknown };

function parsed(text: string): Kept | null {
  try {
    return JSON.parse(text) as Kept;
  } catch {
    return null;
  }
}
