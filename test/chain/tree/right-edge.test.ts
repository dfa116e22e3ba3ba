import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hex } from "../../../src/chain/encoding.ts";
import { HASH_BYTES } from "../../../src/chain/node-hash.ts";
import { RightEdge } from "../../../src/chain/tree/right-edge.ts";
import { sha256 } from "../support.ts";
import { countedSha256, leafHash, treeHash } from "./support.ts";

const EMPTY = { size: 0, bytes: new Uint8Array(0) };

function bitsSet(size: number): number {
  return size.toString(2).replaceAll("0", "").length;
}

describe("a right edge", () => {
  it("has the root of RFC 6962 at every size", () => {
    const edge = new RightEdge(sha256, EMPTY);
    const leaves: Uint8Array[] = [];
    for (let size = 0; size <= 300; size++) {
      expect(edge.size).toBe(size);
      expect(Buffer.from(edge.root())).toEqual(Buffer.from(treeHash(leaves)));
      expect(edge.toBytes().length).toBe(bitsSet(size) * HASH_BYTES);
      leaves.push(leafHash(size));
      edge.append(leafHash(size));
    }
  });

  it("goes on from its bytes as if it had never stopped", () => {
    const leaves = fc.integer({ min: 0, max: 700 });
    fc.assert(
      fc.property(leaves, leaves, (first, more) => {
        const whole = new RightEdge(sha256, EMPTY);
        for (let index = 0; index < first; index++) whole.append(leafHash(index));
        const stored = whole.toBytes();
        const resumed = new RightEdge(sha256, { size: first, bytes: stored });
        for (let index = first; index < first + more; index++) {
          whole.append(leafHash(index));
          resumed.append(leafHash(index));
        }
        expect(hex(resumed.toBytes())).toBe(hex(whole.toBytes()));
        // The root of one entry is its leaf hash, a Buffer here or there.
        expect(hex(resumed.root())).toBe(hex(whole.root()));
      }),
      { numRuns: 50, examples: [[1, 0]] },
    );
  });

  it("does not change with the bytes it was made of, nor does a copy with the original", () => {
    const bytes = new Uint8Array(leafHash(0));
    const edge = new RightEdge(sha256, { size: 1, bytes });
    const copy = new RightEdge(sha256, { size: 1, bytes: edge.toBytes() });
    bytes.fill(0);
    edge.append(leafHash(1));
    expect(Buffer.from(copy.root())).toEqual(Buffer.from(leafHash(0)));
    expect(Buffer.from(edge.root())).toEqual(Buffer.from(treeHash([leafHash(0), leafHash(1)])));
  });

  it("holds a log to its end, and no bytes that are not of its size", () => {
    expect(() => new RightEdge(sha256, { size: 2 ** 32 - 1, bytes: new Uint8Array(32 * HASH_BYTES) })).not.toThrow();
    expect(() => new RightEdge(sha256, { size: 2 ** 32, bytes: new Uint8Array(HASH_BYTES) })).not.toThrow();
    for (const [size, length] of [
      [0, 1],
      [1, 0],
      [1, 2],
      [3, 1],
      [2 ** 32 + 1, 2],
      [-1, 1],
      [1.5, 1],
      [Number.NaN, 0],
    ] as const) {
      expect(() => new RightEdge(sha256, { size, bytes: new Uint8Array(length * HASH_BYTES) })).toThrow("invariant");
    }
    expect(() => new RightEdge(sha256, { size: 1, bytes: new Uint8Array(31) })).toThrow("invariant");
    expect(() => new RightEdge(sha256, EMPTY).append(new Uint8Array(31))).toThrow("invariant");
  });

  it("costs less than one hash an entry, wherever it begins", () => {
    for (const first of [0, 1, 255, 256, 1_000_000, 2 ** 31 - 3]) {
      const counted = countedSha256();
      const bytes = new Uint8Array(bitsSet(first) * HASH_BYTES);
      const edge = new RightEdge(counted.sha256, { size: first, bytes });
      for (let n = 0; n < 1_000; n++) edge.append(leafHash(n));
      // Each hash takes two subtrees away and adds one: no more than there were and came.
      expect(counted.calls()).toBe(1_000 + bitsSet(first) - bitsSet(first + 1_000));
      const appended = counted.calls();
      edge.root();
      expect(counted.calls() - appended).toBe(bitsSet(first + 1_000) - 1);
    }
  });
});
