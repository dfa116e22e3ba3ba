import { sameBytes } from "../bytes.ts";
import { HASH_BYTES, joinSubtrees, nodeHash } from "../node-hash.ts";
import type { Sha256 } from "../sha256.ts";

/** The size and the root of a tree. */
export type TreeHead = { size: number; root: Uint8Array };

/**
 * Whether the tree `to` begins with all of the tree `from`: RFC 9162 section 2.1.4.2. The same size is the same tree
 * only with the same root, and the empty tree begins every other; both have a proof without hashes.
 */
export function verifyConsistency(
  sha256: Sha256,
  { from, to, hashes }: { from: TreeHead; to: TreeHead; hashes: readonly Uint8Array[] },
): boolean {
  if (!Number.isSafeInteger(from.size) || !Number.isSafeInteger(to.size)) return false;
  if (from.size < 0 || from.size > to.size) return false;
  // A hash of another length would move what is hashed with it.
  if (![from.root, to.root, ...hashes].every(({ length }) => length === HASH_BYTES)) return false;
  if (from.size === 0 && !sameBytes(from.root, joinSubtrees(sha256, []))) return false;
  if (from.size === to.size) return hashes.length === 0 && sameBytes(from.root, to.root);
  if (from.size === 0) return hashes.length === 0;
  return foldBoth(sha256, { from, to, hashes });
}

/** Folds the proof into both roots, from the newest full subtree of the older tree upwards. */
function foldBoth(
  sha256: Sha256,
  { from, to, hashes }: { from: TreeHead; to: TreeHead; hashes: readonly Uint8Array[] },
): boolean {
  let at = from.size - 1;
  let last = to.size - 1;
  const up = (): void => {
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  };
  while (at % 2 === 1) up();
  // When the older tree is full, the subtree to begin with is all of it, and its root is not in the proof.
  const [first, ...rest] = at === 0 ? [from.root, ...hashes] : hashes;
  if (first === undefined) return false;
  let older = first;
  let newer = first;
  for (const hash of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      older = nodeHash(sha256, { left: hash, right: older });
      newer = nodeHash(sha256, { left: hash, right: newer });
      while (at % 2 === 0 && at !== 0) up();
    } else {
      newer = nodeHash(sha256, { left: newer, right: hash });
    }
    up();
  }
  return last === 0 && sameBytes(older, from.root) && sameBytes(newer, to.root);
}
