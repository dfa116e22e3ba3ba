import { assert } from "../../errors.ts";
import { joinBytes } from "../bytes.ts";
import { HASH_BYTES, subtreeHash } from "../node-hash.ts";
import type { Sha256 } from "../sha256.ts";
import { edgeTiles, TILE_WIDTH, type Tile } from "../tile.ts";

export type TileContent = { tile: Tile; bytes: Uint8Array };

const TILE_BYTES = TILE_WIDTH * HASH_BYTES;

/**
 * The tiles that are new or wider when a tree of `size` leaves gains some: exactly `newTiles`, with their bytes. `edge`
 * holds the bytes of `edgeTiles(size)` in that order, `leafHashes` the new leaf hashes one after another. The edge of
 * the tree as it is then is among the result, or unchanged. Costs one hash a leaf on average.
 */
export function growTiles(
  sha256: Sha256,
  { size, edge, leafHashes }: { size: number; edge: readonly Uint8Array[]; leafHashes: Uint8Array },
): TileContent[] {
  assert(leafHashes.length % HASH_BYTES === 0, "a leaf hash has 32 bytes");
  const open = edgeByLevel(size, edge);
  const grown: TileContent[] = [];
  let hashes = leafHashes;
  for (let level = 0; hashes.length > 0; level++) {
    const bytes = joinBytes(open.get(level) ?? new Uint8Array(0), hashes);
    let index = Math.floor(size / TILE_WIDTH ** (level + 1));
    const above: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += TILE_BYTES) {
      const part = bytes.slice(at, at + TILE_BYTES);
      grown.push({ tile: { level, index, width: part.length / HASH_BYTES }, bytes: part });
      // A partial tile must not be hashed into the level above.
      if (part.length === TILE_BYTES) above.push(subtreeHash(sha256, part));
      index++;
    }
    hashes = joinBytes(...above);
  }
  return grown;
}

function edgeByLevel(size: number, edge: readonly Uint8Array[]): Map<number, Uint8Array> {
  const tiles = edgeTiles(size);
  assert(edge.length === tiles.length, "an edge has the bytes of each of its tiles");
  return new Map(
    tiles.map(({ level, width }, n) => {
      const bytes = edge[n] as Uint8Array;
      assert(bytes.length === width * HASH_BYTES, "a tile has 32 bytes for each hash of its width");
      return [level, bytes];
    }),
  );
}
