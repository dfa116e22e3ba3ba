import { base64url } from "../chain/encoding.ts";
import { entryHashOf } from "../chain/leaf.ts";
import { sameBytes } from "../chain/bytes.ts";
import { HASH_BYTES } from "../chain/node-hash.ts";
import type { TreeHead } from "../chain/proof/verify-consistency.ts";
import { bundlePath, TILE_WIDTH, type Tile, tileAt } from "../chain/tile.ts";
import { VERIFIER_AHEAD_TILES } from "../limits.ts";
import { type EntryRow, rowOfEntry } from "./entry-row.ts";
import { RecordGroups } from "./record-groups.ts";
import { type ReadResult, readEntries, readTile } from "./source.ts";
import { type TileFault, VerifiedTiles } from "./verified-tiles.ts";
import { addOlder, addUnvouched, type LogWalkState } from "./verify-log.ts";

type Entries = Awaited<ReturnType<typeof readEntries>>;
type ReadAhead = { tile: Tile; hashes: ReadResult | undefined; entries: Entries | null };

/** Walks a log by the tiles of its tree, from the oldest entry on. */
export async function walkTiles(state: LogWalkState, has: { entries: boolean }): Promise<void> {
  const { input, sha256, check, findings } = state;
  const { checkpoint, source } = input;
  const { size } = checkpoint;
  let unread = false;
  let opened = false;
  let lost: string | null = null;
  const onFault = (fault: TileFault) => {
    unread ||= fault.kind === "unread";
    if (input.continued === true && !opened && fault.kind === "absent" && !fault.restored) lost ??= fault.why;
    else addFault(state, fault);
  };
  const tiles = new VerifiedTiles(sha256, { source, tree: checkpoint, onFault });
  opened = await tiles.open();
  if (!opened) {
    for (const kept of input.older ?? []) addOlder(state, kept, beginsByRoot(checkpoint, kept));
    if (unread) return;
    if (lost !== null) {
      const why = `its entries: ${lost as string}. Another log continues this one; the top of its tree may be lost`;
      findings.addUnchecked({ index: null, why });
      return;
    }
    const detail = "What the log holds is not the tree that this checkpoint signs.";
    findings.add({ kind: "diverged", index: null, detail });
    if (size > 0) addUnvouched(state, { from: 0, to: size - 1 });
    return;
  }
  for (const kept of input.older ?? []) addOlder(state, kept, await tiles.beginsWith(kept));
  const { records = null } = input;
  const groups = records === null ? null : new RecordGroups(sha256, { log: checkpoint.origin, lines: records });
  for await (const ahead of readAhead(state, has)) {
    const first = ahead.tile.index * TILE_WIDTH;
    if (unread) return;
    if (check.full() || input.signal?.aborted === true) {
      state.stoppedAt = first;
      return;
    }
    const hashes = await tiles.at(0, ahead.tile.index, ahead.hashes);
    const { rows, late } = (await groups?.tile(ahead.tile.index)) ?? { rows: [], late: [] };
    for (const row of late) check.late(row);
    if (!checkTile(state, { ...ahead, hashes, records: groups === null ? null : rows })) return;
    await check.compareLists(source);
    input.onProgress?.({ done: first + ahead.tile.width, size, breaks: findings.breaks.length });
  }
  if (groups !== null) {
    for await (const row of groups.rest()) {
      check.late(row);
      if (check.full()) return;
    }
  }
}

/** What sizes and roots alone say of whether a tree begins with an older one. */
function beginsByRoot(tree: TreeHead, older: TreeHead): boolean | null {
  if (older.size < tree.size) return null;
  return older.size === tree.size && sameBytes(older.root, tree.root);
}

/** Tiles of level 0 and their bundles, in order; a bounded number is under way. What is asked for last is given up. */
async function* readAhead({ input }: LogWalkState, has: { entries: boolean }): AsyncGenerator<ReadAhead> {
  const { source, checkpoint } = input;
  const ask = async (tile: Tile): Promise<ReadAhead> => {
    const entries = has.entries ? readEntries(source, tile) : null;
    // A partial tile is of the edge, which was read before all else.
    const hashes = tile.width === TILE_WIDTH ? await readTile(source, tile) : undefined;
    return { tile, hashes, entries: await entries };
  };
  const queue: Promise<ReadAhead>[] = [];
  let next = 0;
  for (;;) {
    while (queue.length < VERIFIER_AHEAD_TILES) {
      const tile = tileAt({ level: 0, index: next, size: checkpoint.size });
      if (tile === null) break;
      next++;
      queue.push(ask(tile));
    }
    const first = queue.shift();
    if (first === undefined) return;
    yield await first;
  }
}

type CheckedTile = { tile: Tile; hashes: Uint8Array | null; entries: Entries | null; records: EntryRow[] | null };

/** Checks the entries of a tile; false when the source gave no answer, so that going on tells nothing. */
function checkTile(state: LogWalkState, { tile, hashes, entries, records }: CheckedTile): boolean {
  const { check, findings, sha256 } = state;
  const run = { from: tile.index * TILE_WIDTH, to: tile.index * TILE_WIDTH + tile.width - 1 };
  if (entries?.kind === "unread") {
    const { size } = state.input.checkpoint;
    findings.addUnchecked({ index: run.from, to: size - 1, why: entries.why });
    return false;
  }
  if (hashes === null) {
    addUnvouched(state, run);
    check.skip(null);
    return true;
  }
  const expected = Array.from({ length: tile.width }, (_, n) =>
    base64url(hashes.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES)),
  );
  const list = entries?.kind === "entries" ? entries.entries : null;
  if (entries !== null && list === null) {
    const path = bundlePath(tile);
    const detail =
      entries.kind === "absent"
        ? `${path}, where these entries would lie, is not there.`
        : `${path} does not hold ${tile.width} entries.`;
    findings.add({ kind: "missing", index: run.from, to: run.to, detail });
    if (records === null) {
      check.skip(expected.at(-1) ?? null);
      return true;
    }
  }
  const rows: EntryRow[][] = expected.map(() => []);
  for (const row of records ?? []) {
    const there = rows[row.at - run.from];
    if (there === undefined) check.late(row);
    else there.push(row);
  }
  for (const [n, entry] of (list ?? []).entries()) {
    const at = run.from + n;
    const there = rows[n] as EntryRow[];
    const hash = base64url(entryHashOf(sha256, entry));
    // A record with this very leaf says all that the entry would say.
    if (!there.some((row) => row.hash === hash)) there.unshift(rowOfEntry({ at, hash, entry }));
  }
  for (const [n, hash] of expected.entries()) check.entry(run.from + n, { expected: hash, rows: rows[n] ?? [] });
  return true;
}

function addFault({ findings, input }: LogWalkState, { tile, kind, why, restored }: TileFault): void {
  const span = TILE_WIDTH ** tile.level;
  const from = tile.index * TILE_WIDTH * span;
  const to = Math.min(input.checkpoint.size, from + tile.width * span) - 1;
  if (kind === "unread") return findings.addUnchecked({ index: from, to, why });
  const still = restored
    ? "What it should hold was had from what lies below it."
    : "Nothing else says what it should hold.";
  findings.add({ kind: kind === "absent" ? "missing" : "diverged", index: from, to, detail: `${why}. ${still}` });
}
