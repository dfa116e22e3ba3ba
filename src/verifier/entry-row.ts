import { base64url } from "../chain/encoding.ts";
import { readExportLine } from "../chain/export-line.ts";
import { entryHash, type Leaf, type ParsedLeaf, parseLeaf } from "../chain/leaf.ts";
import type { LooseRecord } from "../chain/parse-record.ts";
import { leafTextOf } from "../chain/proof/read-bundle.ts";
import type { Sha256 } from "../chain/sha256.ts";

/**
 * A leaf that some source holds at index `at`, with the record around it when the source has that. `hash` is over the
 * bytes there, null when there is nothing that could be a leaf; `leaf` is null when they are no leaf of this version.
 */
export type EntryRow = {
  at: number;
  place: string | null;
  hash: string | null;
  leaf: Leaf | null;
  unread: Exclude<ParsedLeaf, { kind: "leaf" }> | null;
  record: LooseRecord | null;
};

/** An entry of a bundle, with its hash. */
export function rowOfEntry({ at, hash, entry }: { at: number; hash: string; entry: Uint8Array }): EntryRow {
  const text = leafTextOf(entry);
  const parsed: ParsedLeaf = text === null ? { kind: "malformed", why: "it is not UTF-8" } : parseLeaf(text);
  return { at, place: null, hash, record: null, ...split(parsed) };
}

/** A record line, or one of an export. Its place is what its leaf says; where that says nothing of this log, it is `next`. */
export function rowOfLine(
  sha256: Sha256,
  { log, line, next, place }: { log: string; line: string; next: number; place: string },
): EntryRow {
  const { record } = readExportLine(line);
  if (record.leaf === null) {
    return { at: next, place, hash: null, record, leaf: null, unread: { kind: "malformed", why: "it holds no leaf" } };
  }
  const parsed = parseLeaf(record.leaf);
  const at = parsed.kind === "leaf" && parsed.leaf.log === log ? parsed.leaf.index : next;
  return { at, place, hash: base64url(entryHash(sha256, record.leaf)), record, ...split(parsed) };
}

function split(parsed: ParsedLeaf): Pick<EntryRow, "leaf" | "unread"> {
  return parsed.kind === "leaf" ? { leaf: parsed.leaf, unread: null } : { leaf: null, unread: parsed };
}
