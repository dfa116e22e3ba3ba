import { sameBytes } from "../bytes.ts";
import { HASH_BYTES, joinSubtrees, subtreeHash } from "../node-hash.ts";
import type { Sha256 } from "../sha256.ts";
import { edgeTiles, TILE_WIDTH, type Tile, tileAt } from "../tile.ts";

/**
 * The root of a tree from the bytes of `edgeTiles(size)`, in that order; null when they are not as long as those tiles
 * are. When it is the root of a verified checkpoint, these tiles are those of its tree.
 */
export function rootFromEdge(
  sha256: Sha256,
  { size, edge }: { size: number; edge: readonly Uint8Array[] },
): Uint8Array | null {
  const tiles = edgeTiles(size);
  if (edge.length !== tiles.length) return null;
  const subtrees: Uint8Array[] = [];
  for (const [n, { width }] of tiles.entries()) {
    const bytes = edge[n] as Uint8Array;
    if (bytes.length !== width * HASH_BYTES) return null;
    // From the right: the smallest subtree first, as the levels come the lowest first.
    for (let end = width, span = 1; end > 0; span *= 2) {
      if (end % (span * 2) === 0) continue;
      subtrees.push(subtreeHash(sha256, bytes.subarray((end - span) * HASH_BYTES, end * HASH_BYTES)));
      end -= span;
    }
  }
  return joinSubtrees(sha256, subtrees.reverse());
}

/** The tile that holds the hash of a full tile, and at which place; null for a tile that no other vouches for. */
export function parentTile(tile: Tile, size: number): { tile: Tile; at: number } | null {
  if (tile.width !== TILE_WIDTH) return null;
  const parent = tileAt({ level: tile.level + 1, index: Math.floor(tile.index / TILE_WIDTH), size });
  const at = tile.index % TILE_WIDTH;
  return parent === null || at >= parent.width ? null : { tile: parent, at };
}

/** Whether `bytes` are those of the full tile whose hash stands at place `at` of its parent, itself verified. */
export function verifyFullTile(
  sha256: Sha256,
  { bytes, parent, at }: { bytes: Uint8Array; parent: Uint8Array; at: number },
): boolean {
  if (bytes.length !== TILE_WIDTH * HASH_BYTES) return false;
  return sameBytes(subtreeHash(sha256, bytes), parent.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}
