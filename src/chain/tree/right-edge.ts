import { assert } from "../../errors.ts";
import { LOG_MAX_ENTRIES } from "../../limits.ts";
import { joinBytes } from "../bytes.ts";
import { HASH_BYTES, joinSubtrees, nodeHash } from "../node-hash.ts";
import type { Sha256 } from "../sha256.ts";

/**
 * The right edge of an RFC 6962 tree: the hashes of the largest full subtrees that make it up, one for each bit set in
 * its size, so at most 32. It is all of a tree that appending and its root need. Appending costs one hash on average.
 */
export class RightEdge {
  readonly #sha256: Sha256;
  readonly #subtrees: Uint8Array[];
  #size: number;

  /** `bytes` is what `toBytes` wrote for a tree of `size` leaves. Throws when they do not belong together. */
  constructor(sha256: Sha256, { size, bytes }: { size: number; bytes: Uint8Array }) {
    assert(Number.isInteger(size) && size >= 0 && size <= LOG_MAX_ENTRIES, "a log ends at 2^32 entries");
    assert(bytes.length === bitsSet(size) * HASH_BYTES, "a right edge has one hash for each bit set in its size");
    this.#sha256 = sha256;
    this.#size = size;
    this.#subtrees = [];
    // Not `slice`: of a Buffer that is a view of the same memory.
    const own = new Uint8Array(bytes);
    for (let at = 0; at < own.length; at += HASH_BYTES) this.#subtrees.push(own.subarray(at, at + HASH_BYTES));
  }

  get size(): number {
    return this.#size;
  }

  /** Adds the leaf hash of the next entry, 32 bytes that nobody changes afterwards. */
  append(leafHash: Uint8Array): void {
    assert(leafHash.length === HASH_BYTES, "a leaf hash has 32 bytes");
    let right = leafHash;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      right = nodeHash(this.#sha256, { left: this.#subtrees.pop() as Uint8Array, right });
    }
    this.#subtrees.push(right);
    this.#size++;
  }

  /** The root at the current size. */
  root(): Uint8Array {
    return joinSubtrees(this.#sha256, this.#subtrees);
  }

  /** The hashes one after another, the largest subtree first: 32 bytes for each bit set in the size. */
  toBytes(): Uint8Array {
    return joinBytes(...this.#subtrees);
  }
}

function bitsSet(size: number): number {
  let bits = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
