import { describe, expect, it } from "vitest";
import { parentTile, rootFromEdge, verifyFullTile } from "../../../src/chain/proof/verify-tiles.ts";
import { edgeTiles, newTiles } from "../../../src/chain/tile.ts";
import { sha256 } from "../support.ts";
import { flipped, StoredTree, storedTree } from "../tree/support.ts";

function edgeOf(tree: StoredTree): Uint8Array[] {
  return edgeTiles(tree.leaves.length).map((tile) => tree.read(tile));
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString("hex");
}

describe("the root from the edge", () => {
  it("is that of RFC 6962, at every size up to 600", () => {
    const tree = new StoredTree();
    const all = storedTree(600).leaves;
    for (let size = 0; size <= 600; size++) {
      expect(hex(rootFromEdge(sha256, { size, edge: edgeOf(tree) }))).toBe(hex(tree.root(size)));
      tree.grow(all.slice(size, size + 1));
    }
  });

  it.each([65_536, 66_303])("is that of RFC 6962 at %d", (size) => {
    const tree = storedTree(size);
    expect(hex(rootFromEdge(sha256, { size, edge: edgeOf(tree) }))).toBe(hex(tree.root(size)));
  });

  it("is another with any bit of the edge changed", () => {
    const tree = storedTree(258);
    const edge = edgeOf(tree);
    const root = hex(tree.root(258));
    edge.forEach((bytes, n) => {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const other = rootFromEdge(sha256, { size: 258, edge: edge.with(n, flipped(bytes, bit)) });
        expect(hex(other)).not.toBe(root);
      }
    });
  });

  it("is none of tiles that are not as long as those of the size", () => {
    const edge = edgeOf(storedTree(258));
    expect(rootFromEdge(sha256, { size: 258, edge: edge.slice(1) })).toBeNull();
    expect(rootFromEdge(sha256, { size: 258, edge: edge.toReversed() })).toBeNull();
    expect(rootFromEdge(sha256, { size: 257, edge })).toBeNull();
    expect(rootFromEdge(sha256, { size: 0, edge })).toBeNull();
  });
});

describe("a full tile", () => {
  const size = 66_000;
  const tree = storedTree(size);

  it("is vouched for by its parent, up to the edge", () => {
    for (const tile of newTiles({ from: 0, to: size })) {
      const parent = parentTile(tile, size);
      if (tile.width < 256) {
        expect(parent).toBeNull();
        continue;
      }
      if (parent === null) throw new Error("a full tile has a parent");
      const bytes = tree.read(tile);
      const checked = { bytes, parent: tree.read(parent.tile), at: parent.at };
      expect(verifyFullTile(sha256, checked)).toBe(true);
      expect(verifyFullTile(sha256, { ...checked, at: parent.at + 1 })).toBe(false);
    }
  });

  it("fails with any bit changed, and with another length", () => {
    const tile = { level: 0, index: 3, width: 256 };
    const parent = parentTile(tile, size);
    if (parent === null) throw new Error("a full tile has a parent");
    const checked = { bytes: tree.read(tile), parent: tree.read(parent.tile), at: parent.at };
    for (let bit = 0; bit < 65_536; bit += 101) {
      expect(verifyFullTile(sha256, { ...checked, bytes: flipped(checked.bytes, bit) })).toBe(false);
    }
    expect(verifyFullTile(sha256, { ...checked, bytes: checked.bytes.subarray(32) })).toBe(false);
    expect(verifyFullTile(sha256, { ...checked, bytes: new Uint8Array(0) })).toBe(false);
  });

  it("beyond the tree has no parent", () => {
    expect(parentTile({ level: 0, index: 300, width: 256 }, size)).toBeNull();
    expect(parentTile({ level: 9, index: 0, width: 256 }, size)).toBeNull();
  });
});
