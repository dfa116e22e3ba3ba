import { listSegments, readSegment } from "../archive/segment.ts";
import { readTreeObject } from "../archive/tree.ts";
import { joinBytes, sameBytes } from "../chain/bytes.ts";
import { entryHash } from "../chain/leaf.ts";
import { HASH_BYTES } from "../chain/node-hash.ts";
import { parseCheckpoint } from "../chain/note/checkpoint.ts";
import { noteText } from "../chain/note/note.ts";
import { rootFromEdge } from "../chain/proof/verify-tiles.ts";
import { splitEdge, TILE_WIDTH, tilePath } from "../chain/tile.ts";
import { growTiles } from "../chain/tree/grow-tiles.ts";
import { readRow } from "../chain/verify-row.ts";
import { PAGE_MAX_BYTES, PUBLISH_MAX_ENTRIES, SEGMENT_MAX_ENTRIES } from "../limits.ts";
import { log as say } from "../log.ts";
import { sha256 } from "../sha256.ts";
import { readEntries } from "../store/list-entries.ts";
import type { Core } from "./core.ts";
import type { TreeTop } from "./earlier.ts";
import { leavesOf } from "./leaves.ts";
import { placementAt, openPlaced } from "./placements.ts";
import type { Signed } from "./signed-beyond.ts";
import { grownEdge } from "./tree.ts";

/** No larger part of a tree is made again: its leaf hashes are in memory. */
const MAX_ENTRIES = 256 * PUBLISH_MAX_ENTRIES;

/**
 * The top of the tree under a log's last checkpoint, which may be ahead of the ledger: from the tiles in R2, and for the tile that
 * was not full from whatever leaves R2 and D1 still have. Null when they do not make up the root that was signed:
 * proofs and tiles that were given out before hold as they did, and new ones cannot be made.
 */
export async function treeTop(core: Core, signed: Signed | null): Promise<TreeTop | null> {
  const { tree } = core.state;
  if (tree.note === (signed?.note ?? null)) {
    const range = { from: tree.size - (tree.size % TILE_WIDTH), to: tree.size };
    return { edge: tree.edge, leaves: await leavesOf(core, range) };
  }
  const checkpoint = signed === null ? null : parseCheckpoint(noteText(signed.note));
  if (checkpoint === null || checkpoint.size - tree.size > MAX_ENTRIES) return null;
  const { size, root } = checkpoint;
  try {
    const leaves = await openLeaves(core, size);
    const leafHashes = await leafHashesOf(core, { from: tree.size, to: size, leaves });
    const edge = splitEdge(tree).map(({ bytes }) => bytes);
    const grown = grownEdge(tree, { size, grown: growTiles(sha256, { size: tree.size, edge, leafHashes }) });
    const parts = splitEdge({ size, edge: grown }).map(({ bytes }) => bytes);
    const made = rootFromEdge(sha256, { size, edge: parts });
    if (made !== null && sameBytes(made, root)) return { edge: grown, leaves };
    throw new Error("what is left makes up another root");
  } catch (error) {
    say("warn", { message: "a frozen tree lacks its last tile", log: core.state.org.log, size, error: String(error) });
    return null;
  }
}

async function leafHashesOf(
  { state, config }: Core,
  { from, to, leaves }: { from: number; to: number; leaves: readonly string[] },
): Promise<Uint8Array> {
  const { log } = state.org;
  const parts: Uint8Array[] = [];
  const base = from - (from % TILE_WIDTH);
  const open = to - (to % TILE_WIDTH);
  for (let first = base; first < open; first += TILE_WIDTH) {
    const path = tilePath({ level: 0, index: first / TILE_WIDTH, width: TILE_WIDTH });
    const bytes = await readTreeObject(config.archive, { log, path });
    if (bytes?.length !== TILE_WIDTH * HASH_BYTES) throw new Error(`${path} is not in the archive`);
    parts.push(bytes);
  }
  parts.push(...leaves.map((leaf) => entryHash(sha256, leaf)));
  return joinBytes(...parts).subarray((from - base) * HASH_BYTES);
}

/** The leaf texts under the level-0 tile that `size` entries do not fill. */
async function openLeaves(core: Core, size: number): Promise<string[]> {
  const from = size - (size % TILE_WIDTH);
  const found = new Map<number, string>();
  await addRows(core, found, { from, to: size });
  await addSegments(core, found, { from, to: size });
  return Array.from({ length: size - from }, (_, n) => {
    const leaf = found.get(from + n);
    if (leaf === undefined) throw new Error(`leaf ${from + n} is in no store`);
    return leaf;
  });
}

type Range = { from: number; to: number };

async function addRows(core: Core, found: Map<number, string>, { from, to }: Range): Promise<void> {
  for (let top = to; top > from; ) {
    const { placement } = placementAt(core.state.placements, top - 1);
    const cell = await openPlaced(core, placement);
    const low = Math.max(from, placement.first_index);
    const rows = await readEntries(cell, { placement, low, high: top, limit_bytes: PAGE_MAX_BYTES });
    for (const { index, line } of rows) add(core, found, { index, line });
    top = rows.at(-1)?.index ?? low;
  }
}

/** Of the segments that reach into the range; they vouch for what they hold, rows of D1 do not. */
async function addSegments(core: Core, found: Map<number, string>, { from, to }: Range): Promise<void> {
  const { archive } = core.config;
  const of = { log: core.state.org.log, from: Math.max(0, from - SEGMENT_MAX_ENTRIES), limit: 1_000 };
  for (const segment of await listSegments(archive, of)) {
    if (segment.last < from || segment.first >= to) continue;
    const lines = await readSegment(archive, segment).catch(() => []);
    lines.forEach((line, n) => add(core, found, { index: segment.first + n, line }));
  }
}

function add({ state }: Core, found: Map<number, string>, row: { index: number; line: string }): void {
  const { claim, record, index } = readRow(sha256, state.org.log, row);
  if (claim === "own" && record.leaf !== null) found.set(index, record.leaf);
}
