import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifyConsistency } from "../../../src/chain/proof/verify-consistency.ts";
import { verifyInclusion } from "../../../src/chain/proof/verify-inclusion.ts";
import { planConsistencyProof, planInclusionProof } from "../../../src/chain/tree/prove.ts";
import { sha256 } from "../support.ts";
import { countedSha256, storedTree, treeHash } from "./support.ts";

const tree = storedTree(70_000);

/** RFC 6962 section 2.1.1 word for word. */
function path(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...path(index, leaves.slice(0, split)), treeHash(leaves.slice(split))]
    : [...path(index - split, leaves.slice(split)), treeHash(leaves.slice(0, split))];
}

/** RFC 6962 section 2.1.2 word for word. */
function subproof(from: number, leaves: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (from === leaves.length) return whole ? [] : [treeHash(leaves)];
  const split = splitOf(leaves.length);
  return from <= split
    ? [...subproof(from, leaves.slice(0, split), whole), treeHash(leaves.slice(split))]
    : [...subproof(from - split, leaves.slice(split), false), treeHash(leaves.slice(0, split))];
}

function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function hex(hashes: readonly Uint8Array[]): string[] {
  return hashes.map((hash) => Buffer.from(hash).toString("hex"));
}

describe("a proof made from tiles", () => {
  it("is that of RFC 6962, for every entry and size up to 40", () => {
    for (let size = 1; size <= 40; size++) {
      const leaves = tree.leaves.slice(0, size);
      for (let index = 0; index < size; index++) {
        expect(hex(tree.inclusion(index, size))).toEqual(hex(path(index, leaves)));
        expect(hex(tree.consistency(index + 1, size))).toEqual(hex(subproof(index + 1, leaves, true)));
      }
    }
  });

  it("is that of RFC 6962 around the edges of tiles", () => {
    const sizes = [255, 256, 257, 511, 512, 513, 767, 1_024, 2_049];
    for (const size of sizes) {
      const leaves = tree.leaves.slice(0, size);
      for (const at of [1, 2, 128, 254, 255, 256, 257, 512, size - 1, size]) {
        if (at > size) continue;
        expect(hex(tree.inclusion(at - 1, size))).toEqual(hex(path(at - 1, leaves)));
        expect(hex(tree.consistency(at, size))).toEqual(hex(subproof(at, leaves, true)));
      }
    }
  });

  it("has no hashes from the empty tree, to the same tree, and of the only entry", () => {
    expect(tree.consistency(0, 0)).toEqual([]);
    expect(tree.consistency(0, 70_000)).toEqual([]);
    expect(tree.consistency(70_000, 70_000)).toEqual([]);
    expect(tree.inclusion(0, 1)).toEqual([]);
    expect(planConsistencyProof({ from: 0, to: 70_000, stored: 70_000 })).toEqual({ tiles: [], hashes: [] });
  });

  it("verifies for any size of a large tree", () => {
    const roots = new Map<number, Uint8Array>();
    const rootOf = (size: number): Uint8Array => {
      if (!roots.has(size)) roots.set(size, tree.root(size));
      return roots.get(size) as Uint8Array;
    };
    const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 70_000 }), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(sizes, fc.nat(), (two, any) => {
        const [from, to] = two.sort((a, b) => a - b) as [number, number];
        const index = any % to;
        const leafHash = tree.leaves[index] as Uint8Array;
        const inclusion = { index, size: to, leafHash, root: rootOf(to), hashes: tree.inclusion(index, to) };
        expect(verifyInclusion(sha256, inclusion)).toBe(true);
        const heads = { from: { size: from, root: rootOf(from) }, to: { size: to, root: rootOf(to) } };
        expect(verifyConsistency(sha256, { ...heads, hashes: tree.consistency(from, to) })).toBe(true);
      }),
      { numRuns: 6 },
    );
  });

  it("reads at most two tiles a level, and hashes at most one tile for each, whatever the size", () => {
    const stored = fc.integer({ min: 1, max: 2 ** 32 });
    fc.assert(
      fc.property(
        stored,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (size, a, b) => {
          const smaller = Math.max(1, Math.floor(size * a));
          const index = Math.min(smaller - 1, Math.floor(smaller * b));
          const levels = Math.ceil(Math.log2(size + 1) / 8);
          for (const plan of [
            planInclusionProof({ index, size: smaller, stored: size }),
            planConsistencyProof({ from: index + 1, to: smaller, stored: size }),
          ]) {
            expect(plan.tiles.length).toBeLessThanOrEqual(2 * levels);
            expect(new Set(plan.tiles.map(({ level, index: at }) => `${level}/${at}`)).size).toBe(plan.tiles.length);
            const hashed = plan.hashes.flat().reduce((sum, { count }) => sum + count, 0);
            expect(hashed).toBeLessThanOrEqual(plan.tiles.length * 256);
            expect(plan.hashes.length).toBeLessThanOrEqual(33);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("costs the same at 1,000 entries as at 70,000, but for one more level", () => {
    const counted = countedSha256();
    const before = tree.reads;
    tree.proof(planInclusionProof({ index: 12_345, size: 70_000, stored: 70_000 }), counted.sha256);
    expect(tree.reads - before).toBeLessThanOrEqual(6);
    expect(counted.calls()).toBeLessThan(6 * 256);
  });

  it("is not planned for what the stored tree does not have", () => {
    for (const [index, size, stored] of [
      [0, 0, 0],
      [1, 1, 1],
      [-1, 1, 1],
      [0, 2, 1],
      [Number.NaN, 2, 2],
    ] as const) {
      expect(() => planInclusionProof({ index, size, stored })).toThrow("invariant");
    }
    for (const [from, to, stored] of [
      [2, 1, 2],
      [-1, 1, 1],
      [1, 2, 1],
    ] as const) {
      expect(() => planConsistencyProof({ from, to, stored })).toThrow("invariant");
    }
  });

  it("is not made of tiles that are not as wide as planned", () => {
    const plan = planInclusionProof({ index: 3, size: 300, stored: 300 });
    const short = { ...plan, tiles: plan.tiles.map((tile) => ({ ...tile, width: tile.width + 1 })) };
    expect(() => tree.proof({ ...plan, tiles: [] })).toThrow();
    expect(() => storedTree(300).proof(short)).toThrow();
  });
});
