import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeHash } from "../../../src/chain/node-hash.ts";
import { type InclusionClaim, verifyInclusion } from "../../../src/chain/proof/verify-inclusion.ts";
import { sha256 } from "../support.ts";
import { flipped, HASH_BITS, leafHash, storedTree } from "../tree/support.ts";

const tree = storedTree(1_100);

function claim(index: number, size: number): InclusionClaim {
  const leaf = tree.leaves[index] as Uint8Array;
  return { index, size, leafHash: leaf, root: tree.root(size), hashes: tree.inclusion(index, size) };
}

function verifies(part: InclusionClaim): boolean {
  return verifyInclusion(sha256, part);
}

const place = fc
  .integer({ min: 1, max: 1_100 })
  .chain((size) => fc.tuple(fc.integer({ min: 0, max: size - 1 }), fc.constant(size)));

describe("an inclusion proof", () => {
  it("verifies, for every entry of every tree up to 64", () => {
    for (let size = 1; size <= 64; size++) {
      for (let index = 0; index < size; index++) expect(verifies(claim(index, size))).toBe(true);
    }
  });

  it("fails with any one bit of it, of the root or of the leaf changed", () => {
    fc.assert(
      fc.property(place, ([index, size]) => {
        const good = claim(index, size);
        expect(verifies(good)).toBe(true);
        for (let bit = 0; bit < HASH_BITS; bit++) {
          expect(verifies({ ...good, root: flipped(good.root, bit) })).toBe(false);
          expect(verifies({ ...good, leafHash: flipped(good.leafHash, bit) })).toBe(false);
          good.hashes.forEach((hash, n) => {
            expect(verifies({ ...good, hashes: good.hashes.with(n, flipped(hash, bit)) })).toBe(false);
          });
        }
      }),
      { numRuns: 10 },
    );
  });

  it("fails with a hash dropped, added, doubled, swapped or of another length", () => {
    fc.assert(
      fc.property(place, ([index, size]) => {
        const good = claim(index, size);
        const { hashes } = good;
        for (let at = 0; at <= hashes.length; at++) {
          expect(verifies({ ...good, hashes: hashes.toSpliced(at, 0, leafHash(0, "other")) })).toBe(false);
          if (at === hashes.length) continue;
          const hash = hashes[at] as Uint8Array;
          expect(verifies({ ...good, hashes: hashes.toSpliced(at, 1) })).toBe(false);
          expect(verifies({ ...good, hashes: hashes.toSpliced(at, 0, hash) })).toBe(false);
          expect(verifies({ ...good, hashes: hashes.with(at, hash.subarray(1)) })).toBe(false);
          expect(verifies({ ...good, hashes: hashes.with(at, Buffer.concat([hash, Buffer.of(0)])) })).toBe(false);
          for (let other = at + 1; other < hashes.length; other++) {
            const swapped = hashes.with(at, hashes[other] as Uint8Array).with(other, hash);
            expect(verifies({ ...good, hashes: swapped })).toBe(false);
          }
        }
        expect(verifies({ ...good, root: good.root.subarray(1) })).toBe(false);
        expect(verifies({ ...good, leafHash: good.leafHash.subarray(1) })).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it("fails at every other index, and for another leaf", () => {
    for (let size = 1; size <= 33; size++) {
      for (let index = 0; index < size; index++) {
        const good = claim(index, size);
        for (let other = 0; other <= size; other++) {
          if (other !== index) expect(verifies({ ...good, index: other })).toBe(false);
        }
        expect(verifies({ ...good, leafHash: leafHash(index, "other") })).toBe(false);
      }
    }
  });

  it("fails when it leads to the root of a smaller or a larger tree than claimed", () => {
    for (let size = 2; size <= 33; size++) {
      const index = size - 1;
      const good = claim(index, size);
      // One more hash, under a root that it does lead to: the path is longer than a tree of this size has.
      const more = leafHash(0, "other");
      const root = nodeHash(sha256, { left: more, right: good.root });
      expect(verifies({ ...good, root, hashes: [...good.hashes, more] })).toBe(false);
      expect(verifies({ ...good, size: size * 2 + 1 })).toBe(false);
    }
    const two = { root: tree.root(2), leafHash: tree.leaves[1] as Uint8Array, hashes: [tree.leaves[0] as Uint8Array] };
    expect(verifies({ ...two, index: 1, size: 2 })).toBe(true);
    expect(verifies({ ...two, index: 0, size: 1 })).toBe(false);
  });

  it("fails for a size whose path has another shape, and with the root of another size", () => {
    const good = claim(5, 8);
    // To 6 and 7 the path of entry 5 is as long as to 8: there the root tells.
    for (const size of [0, 1, 5, 9, 16, 2 ** 32]) expect(verifies({ ...good, size })).toBe(false);
    for (const size of [6, 7, 9]) expect(verifies({ ...good, size, root: tree.root(size) })).toBe(false);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("fails for an index or a size of %s", (number) => {
    const good = claim(0, 1);
    expect(verifies({ ...good, index: number })).toBe(false);
    expect(verifies({ ...good, size: number })).toBe(false);
  });
});
