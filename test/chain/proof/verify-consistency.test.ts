import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeHash } from "../../../src/chain/node-hash.ts";
import { verifyConsistency } from "../../../src/chain/proof/verify-consistency.ts";
import { sha256 } from "../support.ts";
import { flipped, HASH_BITS, leafHash, storedTree, treeHash } from "../tree/support.ts";

type Claim = Parameters<typeof verifyConsistency>[1];

const tree = storedTree(1_100);

function claim(from: number, to: number): Claim {
  return {
    from: { size: from, root: tree.root(from) },
    to: { size: to, root: tree.root(to) },
    hashes: tree.consistency(from, to),
  };
}

function verifies(part: Claim): boolean {
  return verifyConsistency(sha256, part);
}

const places = fc
  .integer({ min: 2, max: 1_100 })
  .chain((to) => fc.tuple(fc.integer({ min: 1, max: to - 1 }), fc.constant(to)));

describe("a consistency proof", () => {
  it("verifies, from every tree to every larger one up to 64", () => {
    for (let to = 0; to <= 64; to++) {
      for (let from = 0; from <= to; from++) expect(verifies(claim(from, to))).toBe(true);
    }
  });

  it("fails with any one bit of it or of either root changed", () => {
    fc.assert(
      fc.property(places, ([from, to]) => {
        const good = claim(from, to);
        expect(verifies(good)).toBe(true);
        for (let bit = 0; bit < HASH_BITS; bit++) {
          expect(verifies({ ...good, from: { size: from, root: flipped(good.from.root, bit) } })).toBe(false);
          expect(verifies({ ...good, to: { size: to, root: flipped(good.to.root, bit) } })).toBe(false);
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
      fc.property(places, ([from, to]) => {
        const good = claim(from, to);
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
      }),
      { numRuns: 50 },
    );
  });

  it("fails for a tree that was rewritten, at whichever entry", () => {
    for (const [from, to] of [
      [1, 2],
      [3, 7],
      [8, 9],
      [31, 33],
    ] as const) {
      for (let index = 0; index < from; index++) {
        const rewritten = tree.leaves.slice(0, to).with(index, leafHash(index, "other"));
        const good = claim(from, to);
        expect(verifies({ ...good, to: { size: to, root: treeHash(rewritten) } })).toBe(false);
        expect(verifies({ ...good, from: { size: from, root: treeHash(rewritten.slice(0, from)) } })).toBe(false);
      }
    }
  });

  it("fails between the wrong trees", () => {
    const good = claim(5, 9);
    for (const size of [0, 1, 4, 6, 8, 9, 10]) {
      expect(verifies({ ...good, from: { size, root: tree.root(size) } })).toBe(false);
    }
    for (const size of [0, 4, 5, 8, 10, 16, 17]) {
      expect(verifies({ ...good, to: { size, root: tree.root(size) } })).toBe(false);
    }
    expect(verifies({ from: good.to, to: good.from, hashes: good.hashes })).toBe(false);
  });

  it("fails when it leads to the roots of smaller or larger trees than claimed", () => {
    for (let to = 2; to <= 33; to++) {
      for (let from = 1; from < to; from++) {
        const good = claim(from, to);
        expect(verifies({ ...good, to: { ...good.to, size: to * 2 + 1 } })).toBe(false);
        // One more hash, under roots that it does lead to: the path is longer than these trees have.
        const more = leafHash(0, "other");
        const above = (root: Uint8Array) => nodeHash(sha256, { left: more, right: root });
        const heads = {
          from: { size: from, root: above(good.from.root) },
          to: { size: to, root: above(good.to.root) },
        };
        expect(verifies({ ...heads, hashes: [...good.hashes, more] })).toBe(false);
      }
    }
  });

  it("between trees of one size needs one root and no hashes", () => {
    const one = { size: 5, root: tree.root(5) };
    const [other] = claim(5, 9).hashes;
    expect(verifies({ from: one, to: one, hashes: [] })).toBe(true);
    expect(verifies({ from: one, to: one, hashes: [other as Uint8Array] })).toBe(false);
    expect(verifies({ from: one, to: { size: 5, root: flipped(one.root, 0) }, hashes: [] })).toBe(false);
  });

  it("from the empty tree has no hashes, and its root is that of nothing", () => {
    const empty = { size: 0, root: tree.root(0) };
    const to = { size: 5, root: tree.root(5) };
    expect(Buffer.from(empty.root).toString("hex")).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
    expect(verifies({ from: empty, to, hashes: [] })).toBe(true);
    expect(verifies({ from: empty, to: empty, hashes: [] })).toBe(true);
    expect(verifies({ from: empty, to, hashes: [to.root] })).toBe(false);
    expect(verifies({ from: { size: 0, root: to.root }, to, hashes: [] })).toBe(false);
    expect(verifies({ from: { size: 0, root: to.root }, to: { size: 0, root: to.root }, hashes: [] })).toBe(false);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("fails for a size of %s", (size) => {
    const good = claim(1, 2);
    expect(verifies({ ...good, from: { ...good.from, size } })).toBe(false);
    expect(verifies({ ...good, to: { ...good.to, size } })).toBe(false);
  });
});
