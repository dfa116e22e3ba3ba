import { assert } from "../errors.ts";
import type { Leaf } from "../chain/leaf.ts";
import type { LooseRecord } from "../chain/parse-record.ts";
import { opens, readRow } from "../chain/verify-row.ts";
import { sha256 } from "../sha256.ts";
import type { Head } from "./state.ts";

/** An entry that was checked to follow a head: its line, and what is in it. `hash` is base64url. */
export type Following = { index: number; line: string; hash: string; leaf: Leaf; record: LooseRecord };

/** `misfit`: the first line that does not follow, and why. Nothing after it was looked at. */
export type Continuation =
  | { ok: true; entries: Following[]; head: Head }
  | { ok: false; misfit: { index: number; why: string } };

/**
 * Checks that record lines from anywhere continue a log exactly: each leaf is canonical, names this log, the next index
 * and the entry hash before it, goes not back in time, and is opened by all its sections. That is all a chain can say: who
 * could write the store the lines came from could have continued the log as well.
 */
export function continueChain(log: string, from: Head, lines: readonly string[]): Continuation {
  let head = from;
  const entries: Following[] = [];
  for (const line of lines) {
    const followed = follow(log, head, line);
    if (typeof followed === "string") return { ok: false, misfit: { index: head.size, why: followed } };
    entries.push(followed);
    head = { size: head.size + 1, prev: followed.hash, sequencedAt: Date.parse(followed.leaf.sequenced_at) };
  }
  return { ok: true, entries, head };
}

/** The entry a line holds, if it follows `head`; else why it does not. */
export function follow(log: string, head: Head, line: string): Following | string {
  const row = readRow(sha256, log, { index: head.size, line });
  if (row.claim === "none") return row.parsed.kind === "malformed" ? row.parsed.why : "its leaf is of a later version";
  if (row.claim === "foreign") return "its leaf names another log";
  if (row.claim === "displaced") return `its leaf says index ${row.leaf.index}`;
  if (row.leaf.prev !== head.prev) return "it does not name the entry before it";
  if (Date.parse(row.leaf.sequenced_at) < head.sequencedAt) return "it was sequenced before the entry before it";
  if (!opens(sha256, row)) return "its sections do not open its leaf";
  const { index, hash, leaf, record } = row;
  assert(hash !== null, "a row with a leaf has its hash");
  return { index, line, hash, leaf, record };
}
