import { joinBytes, sameBytes } from "../chain/bytes.ts";
import { base64url } from "../chain/encoding.ts";
import { genesisPrev } from "../chain/genesis.ts";
import { entryHash } from "../chain/leaf.ts";
import { HASH_BYTES } from "../chain/node-hash.ts";
import { entryBundle } from "../chain/tree/entry-bundle.ts";
import { growTiles } from "../chain/tree/grow-tiles.ts";
import { bundlePath, splitEdge, TILE_WIDTH, tilePath, openTileFrom } from "../chain/tile.ts";
import { TreeConflict } from "../archive/tree.ts";
import { assert } from "../errors.ts";
import { SEGMENT_MAX_ENTRIES } from "../limits.ts";
import { sha256 } from "../sha256.ts";
import type { Core } from "./core.ts";
import { predecessorOf } from "./earlier.ts";
import { leavesFrom } from "./leaves.ts";
import { grownEdge } from "./tree.ts";

/** So that a segment is read once. */
const PAGE_ENTRIES = SEGMENT_MAX_ENTRIES;

/** What a larger tree adds to R2, full tiles and bundles by their C2SP paths, and its edge. */
export type GrownTree = { objects: { path: string; bytes: Uint8Array }[]; edge: Uint8Array };

/**
 * Grows the published tree to `size` in memory, from the leaves themselves: each is hashed anew and must name the one
 * before, so that nothing is published that is not one chain with what was: else it throws a `TreeConflict`. Writes nothing.
 */
export async function growTree(core: Core, size: number): Promise<GrownTree> {
  const { tree, head } = core.state;
  const base = openTileFrom(tree.size);
  const leaves: string[] = [];
  const hashes: Uint8Array[] = [];
  const last = await hashBefore(core, base);
  while (base + leaves.length < size) {
    const from = base + leaves.length;
    for (const leaf of await leavesFrom(core, { from, to: Math.min(size, from + PAGE_ENTRIES) })) {
      const linked = leaf.includes(`"prev":"${base64url(hashes.at(-1) ?? last)}"`);
      if (!linked) throw new TreeConflict(`entry ${base + leaves.length} does not name the one before it`);
      leaves.push(leaf);
      hashes.push(entryHash(sha256, leaf));
    }
    // Appends come first: a page of hashing takes some milliseconds.
    await new Promise((resolve) => setTimeout(resolve));
  }
  const newest = hashes.at(-1);
  assert(newest !== undefined && size <= core.state.head.size, "a tree grows over entries that exist");
  if (size === head.size && base64url(newest) !== head.prev)
    throw new TreeConflict(`entry ${size - 1} is not the head`);
  const edge = splitEdge(tree);
  const joined = joinBytes(...hashes);
  const kept = (tree.size - base) * HASH_BYTES;
  const known = edge.find(({ tile }) => tile.level === 0)?.bytes ?? new Uint8Array(0);
  if (!sameBytes(joined.subarray(0, kept), known)) throw new TreeConflict("entries under the checkpoint were changed");
  const leafHashes = joined.subarray(kept);
  const grown = growTiles(sha256, { size: tree.size, edge: edge.map(({ bytes }) => bytes), leafHashes });
  const objects = grown
    .filter(({ tile }) => tile.width === TILE_WIDTH)
    .flatMap(({ tile, bytes }) => {
      const object = { path: tilePath(tile), bytes };
      if (tile.level > 0) return [object];
      const first = tile.index * TILE_WIDTH - base;
      return [object, { path: bundlePath(tile), bytes: entryBundle(leaves.slice(first, first + TILE_WIDTH)) }];
    });
  return { objects, edge: grownEdge(tree, { size, grown }) };
}

/** What entry `index`, the first of a tile, has to name: the edge does not hold it. */
async function hashBefore(core: Core, index: number): Promise<Uint8Array> {
  const { org, earlier } = core.state;
  if (index === 0) return genesisPrev(sha256, { origin: org.log, predecessor: predecessorOf(earlier) });
  const [leaf] = await leavesFrom(core, { from: index - 1, to: index });
  assert(leaf !== undefined, "there is an entry below the head");
  return entryHash(sha256, leaf);
}
