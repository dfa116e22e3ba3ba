import { fromBase64url } from "../chain/encoding.ts";
import { sameBytes } from "../chain/bytes.ts";
import { TILE_WIDTH } from "../chain/tile.ts";
import { assert } from "../errors.ts";
import type { EntryRow } from "./entry-row.ts";
import { GrowingRoot } from "./growing-root.ts";
import { RecordGroups } from "./record-groups.ts";
import { addOlder, addUnvouched, type LogWalkState } from "./verify-log.ts";

/**
 * Walks a log of which only records are there. Each is checked by itself and by its link; only at the end does the
 * root show whether they are the entries that were signed, so a break of the tree names no entry.
 */
export async function walkRecords(state: LogWalkState): Promise<void> {
  const { input, sha256, check, findings } = state;
  const { origin: log, size, root } = input.checkpoint;
  const { records = null } = input;
  assert(records !== null, "a log without tiles is verified by its records");
  const groups = new RecordGroups(sha256, { log, lines: records });
  const growing = new GrowingRoot(sha256);
  const older = (input.older ?? []).toSorted((a, b) => a.size - b.size);
  const compareOlder = () => {
    for (let kept = older[0]; kept?.size === growing.size; kept = older[0]) {
      addOlder(state, kept, sameBytes(growing.root(), kept.root));
      older.shift();
    }
  };
  compareOlder();
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const first = index * TILE_WIDTH;
    if (check.full() || input.signal?.aborted === true) {
      state.stoppedAt = first;
      return;
    }
    const { rows, late } = await groups.tile(index);
    for (const row of [...late, ...rows.filter(({ at }) => at >= size)]) check.late(row);
    // Not Map.groupBy: this runs where a consumer runs, Node 20 too.
    const byIndex = new Map<number, EntryRow[]>();
    for (const row of rows) byIndex.set(row.at, [...(byIndex.get(row.at) ?? []), row]);
    for (let at = first; at < Math.min(size, first + TILE_WIDTH); at++) {
      const found = byIndex.get(at) ?? [];
      const hash = ownHash(found, at);
      if (hash === null) {
        const detail =
          found.length === 0 ? "No record of this entry is there." : "No record here holds this entry's leaf.";
        findings.add({ kind: "missing", index: at, detail });
        check.skip(null);
        continue;
      }
      check.entry(at, { expected: hash, rows: found });
      // A hole leaves the tree's size behind, and then it can have no root.
      growing.add(fromBase64url(hash) as Uint8Array);
      if (growing.size === at + 1) compareOlder();
    }
    await check.compareLists(input.source);
    input.onProgress?.({ done: Math.min(size, first + TILE_WIDTH), size, breaks: findings.breaks.length });
  }
  for await (const row of groups.rest()) {
    check.late(row);
    if (check.full()) return;
  }
  for (const kept of older) addOlder(state, kept, kept.size > size ? false : null);
  if (growing.size === size && sameBytes(growing.root(), root)) return;
  if (growing.size === size) {
    const detail = "These records are not the entries that the checkpoint signs.";
    findings.add({ kind: "diverged", index: null, detail });
  }
  addUnvouched(state, { from: 0, to: size - 1 });
}

/** The hash that the record of an index has by its own word. */
function ownHash(rows: readonly EntryRow[], at: number): string | null {
  return rows.find(({ leaf }) => leaf?.index === at)?.hash ?? rows.find(({ leaf }) => leaf === null)?.hash ?? null;
}
