import { openEntry, type OpenedEntry, parseRecord, withholdPersonal } from "../chain/open.ts";
import { assert } from "../errors.ts";
import { count } from "../meter.ts";
import { sha256 } from "../sha256.ts";

/** A stored row that is not what was asked for; it is never answered. */
class ForeignRow extends Error {
  override name = "ForeignRow";
}

/**
 * Opens a stored row for a reader of one log. A row whose leaf names another log or another index is refused and
 * counted: showing it would be the worst thing this service could do (seed of every misplaced log).
 */
export function openRow(
  { index, line }: { index: number; line: string },
  { log, personal }: { log: string; personal: boolean },
): OpenedEntry {
  const record = parseRecord(line);
  if (record === null) throw new ForeignRow(`the row at index ${index} of ${log} is not a record`);
  const opened = openEntry(sha256, personal ? record : withholdPersonal(record));
  if (!opened.ok) throw new ForeignRow(`the row at index ${index} of ${log}: ${opened.why}`);
  const { leaf } = opened.entry;
  if (leaf.log !== log || leaf.index !== index) {
    count("audit_cross_org_refusals_total", { at: "read" });
    throw new ForeignRow(`the row at index ${index} of ${log} names ${leaf.log} ${leaf.index}`);
  }
  assert(leaf.log === log, "an answered entry is of the log asked for");
  return opened.entry;
}
