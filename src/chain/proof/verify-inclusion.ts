import { sameBytes } from "../bytes.ts";
import { HASH_BYTES, nodeHash } from "../node-hash.ts";
import type { Sha256 } from "../sha256.ts";

/** `hashes` is the proof, from the leaf's sibling up. */
export type InclusionClaim = {
  index: number;
  size: number;
  leafHash: Uint8Array;
  root: Uint8Array;
  hashes: readonly Uint8Array[];
};

/**
 * Whether the tree of `size` leaves with this root has this leaf hash at `index`: RFC 9162 section 2.1.3.2. The root
 * and the size must come from a checkpoint that was itself verified.
 */
export function verifyInclusion(sha256: Sha256, { index, size, leafHash, root, hashes }: InclusionClaim): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  // A hash of another length would move what is hashed with it.
  if (![leafHash, root, ...hashes].every(({ length }) => length === HASH_BYTES)) return false;
  let at = index;
  let last = size - 1;
  let hash = leafHash;
  for (const sibling of hashes) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sha256, { left: sibling, right: hash });
      // Where a row ends on a left node, that node moves up as it is until it has a neighbour.
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(sha256, { left: hash, right: sibling });
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && sameBytes(hash, root);
}
