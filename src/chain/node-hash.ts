import type { Sha256 } from "./sha256.ts";

/** Bytes of every hash in the tree. */
export const HASH_BYTES = 32;

/** What is hashed for an inner node: 0x01, then two hashes. `sha256` gets a view that the next node overwrites. */
const node = new Uint8Array(1 + 2 * HASH_BYTES);
node[0] = 0x01;

/** RFC 6962 section 2.1: SHA-256(0x01 || left || right). Both are 32 bytes. */
export function nodeHash(sha256: Sha256, { left, right }: { left: Uint8Array; right: Uint8Array }): Uint8Array {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return sha256(node);
}

/** The root of a full subtree whose lowest hashes lie one after another; there are a power of two of them. */
export function subtreeHash(sha256: Sha256, hashes: Uint8Array): Uint8Array {
  let row = hashes;
  while (row.length > HASH_BYTES) {
    const above = new Uint8Array(row.length / 2);
    for (let at = 0; at < above.length; at += HASH_BYTES) {
      node.set(row.subarray(at * 2, at * 2 + 2 * HASH_BYTES), 1);
      above.set(sha256(node), at);
    }
    row = above;
  }
  return row === hashes ? new Uint8Array(hashes) : row;
}

/**
 * The root over full subtrees that stand side by side, the largest first, as RFC 6962 section 2.1 splits a list of
 * entries. Of none it is the root of the empty tree: SHA-256 of nothing.
 */
export function joinSubtrees(sha256: Sha256, subtrees: readonly Uint8Array[]): Uint8Array {
  let right = subtrees.at(-1);
  if (right === undefined) return sha256(new Uint8Array(0));
  for (let at = subtrees.length - 2; at >= 0; at--) {
    right = nodeHash(sha256, { left: subtrees[at] as Uint8Array, right });
  }
  return right;
}
