import { joinBytes, sameBytes } from "../chain/bytes.ts";
import { base64url } from "../chain/encoding.ts";
import { entryHash } from "../chain/leaf.ts";
import { HASH_BYTES } from "../chain/node-hash.ts";
import { entryBundle } from "../chain/tree/entry-bundle.ts";
import { growTiles } from "../chain/tree/grow-tiles.ts";
import { bundlePath, splitEdge, TILE_WIDTH, tilePath } from "../chain/tile.ts";
import { assert } from "../errors.ts";
import { SEGMENT_MAX_ENTRIES } from "../limits.ts";
import { sha256 } from "../sha256.ts";
import type { Core } from "./core.ts";
import { leavesFrom } from "./leaves.ts";
import { grownEdge } from "./tree.ts";

/** So that a segment is read once. */
const PAGE_ENTRIES = SEGMENT_MAX_ENTRIES;

/** What a larger tree adds to R2, full tiles and bundles by their C2SP paths, and its edge. */
export type GrownTree = { objects: { path: string; bytes: Uint8Array }[]; edge: Uint8Array };

/**
 * Grows the published tree to `size` in memory, from the leaves themselves: each is hashed anew and must name the one
 * before, so that nothing is published that is not one chain with what was. Writes nothing.
 */
export async function growTree(core: Core, size: number): Promise<GrownTree> {
  const { tree, head } = core.state;
  const base = tree.size - (tree.size % TILE_WIDTH);
  const leaves: string[] = [];
  const hashes: Uint8Array[] = [];
  const last = tree.size > 0 && tree.size === base ? await hashAt(core, base - 1) : undefined;
  while (base + leaves.length < size) {
    const from = base + leaves.length;
    for (const leaf of await leavesFrom(core, { from, to: Math.min(size, from + PAGE_ENTRIES) })) {
      const before = hashes.at(-1) ?? last;
      const linked = before === undefined || leaf.includes(`"prev":"${base64url(before)}"`);
      assert(linked, `entry ${base + leaves.length} names the one before`);
      leaves.push(leaf);
      hashes.push(entryHash(sha256, leaf));
    }
    // Appends come first: a page of hashing takes some milliseconds.
    await new Promise((resolve) => setTimeout(resolve));
  }
  const newest = hashes.at(-1);
  assert(newest !== undefined && size <= core.state.head.size, "a tree grows over entries that exist");
  if (size === head.size) assert(base64url(newest) === head.prev, "the newest entry is the head");
  const edge = splitEdge(tree);
  const joined = joinBytes(...hashes);
  const kept = (tree.size - base) * HASH_BYTES;
  const known = edge.find(({ tile }) => tile.level === 0)?.bytes ?? new Uint8Array(0);
  assert(sameBytes(joined.subarray(0, kept), known), "entries under a checkpoint are those that were published");
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

/** The entry hash of an entry: where a tile begins, the edge does not hold the one before it. */
async function hashAt(core: Core, index: number): Promise<Uint8Array> {
  const [leaf] = await leavesFrom(core, { from: index, to: index + 1 });
  assert(leaf !== undefined, "there is an entry below the head");
  return entryHash(sha256, leaf);
}
