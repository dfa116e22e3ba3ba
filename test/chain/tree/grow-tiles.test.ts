import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HASH_BYTES } from "../../../src/chain/node-hash.ts";
import { edgeTiles, newTiles, tilePath } from "../../../src/chain/tile.ts";
import { growTiles } from "../../../src/chain/tree/grow-tiles.ts";
import { sha256 } from "../support.ts";
import { countedSha256, leafHash, StoredTree, storedTree, treeHash } from "./support.ts";

describe("growing tiles", () => {
  it("makes the same tiles in whatever steps, and exactly those that are new or wider", () => {
    const steps = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(steps, (counts) => {
        const tree = new StoredTree();
        for (const count of counts) {
          const from = tree.leaves.length;
          const grown = tree.grow(Array.from({ length: count }, (_, n) => leafHash(from + n)));
          expect(grown).toEqual(newTiles({ from, to: from + count }));
        }
        const whole = storedTree(tree.leaves.length);
        for (const [path, bytes] of whole.tiles) expect(tree.tiles.get(path)).toEqual(bytes);
      }),
      { numRuns: 40 },
    );
  });

  it("fills each tile with the hashes C2SP tlog-tiles names", () => {
    const size = 66_000;
    const tree = storedTree(size);
    const tiles = newTiles({ from: 0, to: size });
    expect([...tree.tiles.keys()]).toEqual(tiles.map(tilePath));
    for (const { level, index, width } of tiles) {
      if (level === 0 && index % 50 !== 0) continue;
      const bytes = tree.read({ level, index, width });
      expect(bytes.length).toBe(width * HASH_BYTES);
      for (const n of new Set([0, width >> 1, width - 1])) {
        const span = 256 ** level;
        const expected = treeHash(tree.leaves.slice((index * 256 + n) * span, (index * 256 + n + 1) * span));
        expect(Buffer.from(bytes.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES))).toEqual(Buffer.from(expected));
      }
    }
  });

  it("costs one hash a leaf, and reads only the edge", () => {
    const counted = countedSha256();
    const size = 70_000;
    const tree = storedTree(size);
    const edge = edgeTiles(size).map((tile) => tree.read(tile));
    const leafHashes = Buffer.concat(Array.from({ length: 10_000 }, (_, n) => leafHash(n)));
    growTiles(counted.sha256, { size, edge, leafHashes });
    expect(counted.calls()).toBeLessThan(10_000 + 255);
    expect(edge.length).toBe(3);
  });

  it("refuses an edge that is not that of the size", () => {
    const leafHashes = leafHash(0);
    const edge = [new Uint8Array(3 * HASH_BYTES)];
    expect(() => growTiles(sha256, { size: 3, edge, leafHashes })).not.toThrow();
    expect(() => growTiles(sha256, { size: 4, edge, leafHashes })).toThrow("invariant");
    expect(() => growTiles(sha256, { size: 3, edge: [], leafHashes })).toThrow("invariant");
    expect(() => growTiles(sha256, { size: 0, edge, leafHashes })).toThrow("invariant");
    expect(() => growTiles(sha256, { size: 259, edge, leafHashes })).toThrow("invariant");
    expect(() => growTiles(sha256, { size: 3, edge, leafHashes: leafHashes.subarray(1) })).toThrow("invariant");
  });
});
