import { listSegments, LostSegment, readSegment } from "../archive/segment.ts";
import { readTreeObject } from "../archive/tree.ts";
import { joinBytes, sameBytes } from "../chain/bytes.ts";
import { entryHash } from "../chain/leaf.ts";
import { HASH_BYTES } from "../chain/node-hash.ts";
import { parseCheckpoint } from "../chain/note/checkpoint.ts";
import { noteText } from "../chain/note/note.ts";
import { rootFromEdge } from "../chain/proof/verify-tiles.ts";
import { splitEdge, TILE_WIDTH, tilePath, openTileFrom } from "../chain/tile.ts";
import { growTiles } from "../chain/tree/grow-tiles.ts";
import { readRow } from "../chain/verify-row.ts";
import { PAGE_MAX_BYTES, PUBLISH_MAX_ENTRIES, SEGMENT_MAX_ENTRIES, R2_LIST_MAX_KEYS } from "../limits.ts";
import { log as say } from "../log.ts";
import { sha256 } from "../sha256.ts";
import { readEntries } from "../store/list-entries.ts";
import type { Core } from "./core.ts";
import type { TreeTop } from "./earlier.ts";
import { stagedLines } from "./lines.ts";
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
  const checkpoint = signed === null ? null : parseCheckpoint(noteText(signed.note));
  if (checkpoint === null || checkpoint.size - core.state.tree.size > MAX_ENTRIES) return null;
  const top = await topOf(core, checkpoint);
  if (typeof top !== "string") return top;
  const { size } = checkpoint;
  say("warn", { message: "a frozen tree lacks its last tile", log: core.state.org.log, size, error: top });
  return null;
}

/** The top, or what is gone for good; throws when a store does not answer. */
async function topOf(core: Core, { size, root }: { size: number; root: Uint8Array }): Promise<TreeTop | string> {
  const { tree } = core.state;
  const leaves = await openLeaves(core, size);
  if (typeof leaves === "string") return leaves;
  const open = joinBytes(...leaves.map((leaf) => entryHash(sha256, leaf)));
  const leafHashes = await leafHashesOf(core, { from: tree.size, to: size, open });
  if (typeof leafHashes === "string") return leafHashes;
  const known = splitEdge(tree).map(({ bytes }) => bytes);
  const edge = grownEdge(tree, { size, grown: growTiles(sha256, { size: tree.size, edge: known, leafHashes }) });
  const tiles = splitEdge({ size, edge });
  const made = rootFromEdge(sha256, { size, edge: tiles.map(({ bytes }) => bytes) });
  const under = tiles.find(({ tile }) => tile.level === 0)?.bytes ?? new Uint8Array(0);
  // Of leaves that were under an earlier checkpoint already, the root says nothing: their hashes were known.
  if (made === null || !sameBytes(made, root) || !sameBytes(open, under)) return "what is left makes up another tree";
  return { edge, leaves };
}

async function leafHashesOf(
  { state, config }: Core,
  { from, to, open }: { from: number; to: number; open: Uint8Array },
): Promise<Uint8Array | string> {
  const { log } = state.org;
  const parts: Uint8Array[] = [];
  const base = openTileFrom(from);
  for (let first = base; first + TILE_WIDTH <= to; first += TILE_WIDTH) {
    const path = tilePath({ level: 0, index: first / TILE_WIDTH, width: TILE_WIDTH });
    const bytes = await readTreeObject(config.archive, { log, path });
    if (bytes?.length !== TILE_WIDTH * HASH_BYTES) return `${path} is not in the archive`;
    parts.push(bytes);
  }
  return joinBytes(...parts, open).subarray((from - base) * HASH_BYTES);
}

/** The leaf texts under the level-0 tile that `size` entries do not fill. */
async function openLeaves(core: Core, size: number): Promise<string[] | string> {
  const from = openTileFrom(size);
  const found = new Map<number, string>();
  await addRows(core, found, { from, to: size });
  await addSegments(core, found, { from, to: size });
  addStaged(core, found, { from, to: size });
  const leaves: string[] = [];
  for (let index = from; index < size; index++) {
    const leaf = found.get(index);
    if (leaf === undefined) return `leaf ${index} is in no store`;
    leaves.push(leaf);
  }
  return leaves;
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
  const of = { log: core.state.org.log, from: Math.max(0, from - SEGMENT_MAX_ENTRIES), limit: R2_LIST_MAX_KEYS };
  for (const segment of await listSegments(archive, of)) {
    if (segment.last < from || segment.first >= to) continue;
    const lines = await readSegment(archive, segment).catch((error: unknown) => {
      if (error instanceof LostSegment) return [];
      throw error;
    });
    lines.forEach((line, n) => add(core, found, { index: segment.first + n, line }));
  }
}

/** What the ledger itself holds counts before all else. */
function addStaged(core: Core, found: Map<number, string>, { from, to }: Range): void {
  for (let index = from; index < to; ) {
    const lines = stagedLines(core.storage.sql, index, to - index);
    for (const line of lines) add(core, found, { index: index++, line });
    if (lines.length === 0) index++;
  }
}

function add({ state }: Core, found: Map<number, string>, row: { index: number; line: string }): void {
  const { claim, record, index } = readRow(sha256, state.org.log, row);
  if (claim === "own" && record.leaf !== null) found.set(index, record.leaf);
}
