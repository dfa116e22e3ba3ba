import { readRow, opens, type ReadRow } from "../chain/verify-row.ts";
import type { BreakKind } from "../chain/verify-report.ts";
import { sha256 } from "../sha256.ts";

/** A row of D1 at the index that is judged. */
export type FoundRow = { slot: string; line: string };

/** What has to lie at an index: the ledger's own line, its entry hash and `prev`, when it was sequenced and the slot of that month. */
export type Right = { line: string; hash: string; prev: string; sequencedAt: number; slot: string };

/** Kinds that only repair tells: a whole row in another month's slot, an entry without its row in the search index. */
export type RowFault = {
  kind: BreakKind | "misplaced" | "unindexed";
  index: number;
  /** Where the row lies; null when none does. */
  slot: string | null;
  found: string | null;
  /** The entry that belongs there, and its slot; null where none does. */
  should_be: { entry_hash: string; slot: string } | null;
  /** What the row's leaf says of itself. */
  names: { log: string; index: number; entry_hash: string } | null;
  detail: string;
};

/** `clear`: slots whose rows have to go. `put`: whether the right row has to be entered. */
export type Verdict = { faults: RowFault[]; clear: string[]; put: boolean };

type At = { log: string; index: number; right: Right | null; due: boolean };

/**
 * Compares what lies at an index with what has to: exactly the right line, once, in the right slot, with its row in the
 * search index. `right` is null past the head; without `due` the row may still be on its way.
 */
export function judgeRows(at: At, rows: readonly FoundRow[], indexed: readonly string[]): Verdict {
  const { index, right, due } = at;
  const should_be = right === null ? null : { entry_hash: right.hash, slot: right.slot };
  const whole = right !== null && rows.some(({ slot, line }) => slot === right.slot && line === right.line);
  const bad = rows.filter(({ slot, line }) => !whole || slot !== right.slot || line !== right.line);
  const faults: RowFault[] = bad.map((row) => ({ ...faultOf(at, row, { whole }), should_be }));
  const clear = new Set(bad.map(({ slot }) => slot));
  if (right !== null && due && rows.length === 0) {
    const detail = "No row holds this entry.";
    faults.push({ kind: "missing", index, slot: null, found: null, should_be, names: null, detail });
  }
  const stray = indexed.filter((slot) => !clear.has(slot) && !(whole && slot === right?.slot));
  const unfound = whole && due && !indexed.includes(right?.slot ?? "");
  if (unfound || (stray.length > 0 && faults.length === 0)) {
    const detail = unfound ? "The search index lacks this entry." : "The search index has a row where none belongs.";
    faults.push({ kind: "unindexed", index, slot: right?.slot ?? null, found: null, should_be, names: null, detail });
  }
  for (const slot of stray) clear.add(slot);
  return { faults, clear: [...clear], put: due && right !== null && (!whole || unfound) };
}

function faultOf(
  { log, index, right }: At,
  { slot, line }: FoundRow,
  { whole }: { whole: boolean },
): Omit<RowFault, "should_be"> {
  const row = readRow(sha256, log, { index, line });
  const leaf = row.claim === "none" ? null : row.leaf;
  const names = leaf === null ? null : { log: leaf.log, index: leaf.index, entry_hash: row.hash ?? "" };
  const [kind, detail] = kindOf(row, { line, right, whole });
  return { kind, index, slot, found: line, names, detail };
}

function kindOf(
  row: ReadRow,
  { line, right, whole }: { line: string; right: Right | null; whole: boolean },
): [RowFault["kind"], string] {
  if (row.claim === "foreign") return ["misrouted", "The leaf names another log."];
  if (row.claim === "displaced") return ["reordered", `The leaf is that of index ${row.leaf.index}.`];
  if (right === null) return ["extra", "A row where the log has no entry."];
  if (whole) {
    const fork = row.claim === "own" && row.hash !== right.hash && row.leaf.prev === right.prev && opens(sha256, row);
    return fork
      ? ["duplicate_index", "A second intact leaf at this index: the log was forked."]
      : ["extra", "Another row at this index."];
  }
  if (line === right.line) return ["misplaced", "The entry lies in another month's slot, where no list looks."];
  if (row.hash === right.hash) return ["content_changed", "The leaf is the entry's, what stands around it is not."];
  return ["leaf_changed", "The leaf is not the one its successor names."];
}
