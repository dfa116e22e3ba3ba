import { HASH_BYTES } from "../../../src/chain/node-hash.ts";
import type { Sha256 } from "../../../src/chain/sha256.ts";
import { edgeTiles, type Tile, tilePath } from "../../../src/chain/tile.ts";
import { growTiles } from "../../../src/chain/tree/grow-tiles.ts";
import {
  type ProofPlan,
  planConsistencyProof,
  planInclusionProof,
  proofHashes,
} from "../../../src/chain/tree/prove.ts";
import { sha256 } from "../support.ts";

/** The leaf hash of a made-up entry. */
export function leafHash(index: number, seed = ""): Uint8Array {
  return sha256(Buffer.from(`\0${seed}entry ${index}`));
}

/** RFC 6962 section 2.1 word for word: the Merkle Tree Hash of a list of leaf hashes. */
export function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const halves = [treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split))];
  return sha256(Buffer.concat([Buffer.of(1), ...halves]));
}

/** A stored tree: tiles by path, as a log serves them. `read` counts what is read. */
export class StoredTree {
  readonly tiles = new Map<string, Uint8Array>();
  readonly leaves: Uint8Array[] = [];
  reads = 0;

  /** Grows by these leaf hashes in one step. */
  grow(leafHashes: readonly Uint8Array[]): Tile[] {
    const size = this.leaves.length;
    const edge = edgeTiles(size).map((tile) => this.read(tile));
    const grown = growTiles(sha256, { size, edge, leafHashes: Buffer.concat(leafHashes) });
    for (const { tile, bytes } of grown) this.tiles.set(tilePath(tile), bytes);
    this.leaves.push(...leafHashes);
    return grown.map(({ tile }) => tile);
  }

  read(tile: Tile): Uint8Array {
    this.reads++;
    const bytes = this.tiles.get(tilePath(tile));
    if (bytes === undefined) throw new Error(`no ${tilePath(tile)}`);
    return bytes;
  }

  proof(plan: ProofPlan, hash: Sha256 = sha256): Uint8Array[] {
    return proofHashes(hash, { plan, contents: plan.tiles.map((tile) => this.read(tile)) });
  }

  inclusion(index: number, size: number): Uint8Array[] {
    return this.proof(planInclusionProof({ index, size, stored: this.leaves.length }));
  }

  consistency(from: number, to: number): Uint8Array[] {
    return this.proof(planConsistencyProof({ from, to, stored: this.leaves.length }));
  }

  root(size: number): Uint8Array {
    return treeHash(this.leaves.slice(0, size));
  }
}

export function storedTree(size: number, seed = ""): StoredTree {
  const tree = new StoredTree();
  tree.grow(Array.from({ length: size }, (_, index) => leafHash(index, seed)));
  return tree;
}

/** SHA-256 that counts its calls. */
export function countedSha256(): { sha256: Sha256; calls: () => number } {
  let calls = 0;
  return { sha256: (bytes) => (calls++, sha256(bytes)), calls: () => calls };
}

export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

export const HASH_BITS = HASH_BYTES * 8;
