import { base64url } from "./encoding.ts";
import { entryHash, type Leaf, type ParsedLeaf, parseLeaf } from "./leaf.ts";
import { type LooseRecord, readRecord } from "./parse-record.ts";
import type { Sha256 } from "./sha256.ts";
import { checkSections } from "./verify-sections.ts";

/** A row as a store holds it. `index` is its position there, `place` free text on where that is, for reports. */
export type StoredRow = { index: number; line: string; place?: string; treeHash?: string };

/**
 * A row read. `hash` is its entry hash, null when it holds no text of a leaf. `claim` is what the leaf says of itself:
 * this log and this index (`own`), this log and another index (`displaced`), another log (`foreign`), or nothing.
 */
export type ReadRow = { index: number; place: string | null; hash: string | null; record: LooseRecord } & Claim;

type Claim =
  | { claim: "own" | "displaced" | "foreign"; leaf: Leaf }
  | { claim: "none"; parsed: Exclude<ParsedLeaf, { kind: "leaf" }> };

/** Reads a row of `log`; the hash is over the stored bytes of the leaf, before anything of it is believed. */
export function readRow(
  sha256: Sha256,
  log: string,
  { index, line, place = null }: Pick<StoredRow, "index" | "line"> & { place?: string | null },
): ReadRow {
  const record = readRecord(line);
  if (record.leaf === null) {
    return { index, place, hash: null, record, claim: "none", parsed: { kind: "malformed", why: "it holds no leaf" } };
  }
  const hash = base64url(entryHash(sha256, record.leaf));
  const parsed = parseLeaf(record.leaf);
  if (parsed.kind !== "leaf") return { index, place, hash, record, claim: "none", parsed };
  const { leaf } = parsed;
  const claim = leaf.log !== log ? "foreign" : leaf.index === index ? "own" : "displaced";
  return { index, place, hash, record, claim, leaf };
}

/** The row whose leaf has the hash expected, or where none is known for sure, one that says it is this entry. */
export function matchingRow(
  rows: ReadRow[],
  { hash, sure }: { hash: string | null; sure: boolean },
): ReadRow | undefined {
  const named = hash === null ? undefined : rows.find((row) => row.hash === hash && (sure || row.claim === "own"));
  return named ?? (sure ? undefined : rows.find(({ claim }) => claim === "own"));
}

/** Whether a row's sections are all there, and open what its own leaf commits. */
export function opens(sha256: Sha256, row: ReadRow): boolean {
  return row.claim !== "none" && checkSections(sha256, row.leaf, row.record).breaks.length === 0;
}

/** Of several rows with one leaf, the one that opens stands for the entry, in whatever order the store gave them. */
export function wholeFirst(sha256: Sha256, rows: ReadRow[]): ReadRow[] {
  if (rows.length < 2) return rows;
  const whole = new Set(rows.filter((row) => opens(sha256, row)));
  return [...whole, ...rows.filter((row) => !whole.has(row))];
}
