import { assert } from "../../errors.ts";
import { HASH_BYTES, joinSubtrees, subtreeHash } from "../node-hash.ts";
import type { Sha256 } from "../sha256.ts";
import { TILE_WIDTH, type Tile, tileAt } from "../tile.ts";

/** A full subtree: `count` hashes of `tiles[tile]`, from its hash `at` on. */
type Part = { tile: number; at: number; count: number };

/**
 * How to make a proof: read `tiles`, all at once, then hand their bytes to `proofHashes`. `hashes` says for each hash
 * of the proof which subtrees it joins. At most two tiles a level, however large the tree.
 */
export type ProofPlan = { tiles: Tile[]; hashes: Part[][] };

/** The entries `start … end-1`. */
type Range = { start: number; end: number };

const TILE_HEIGHT = 8;

/**
 * Plans the inclusion proof of RFC 6962 section 2.1.1 for entry `index` in the tree of `size` leaves. `stored` is the
 * size whose tiles are there to read: `size` or more.
 */
export function planInclusionProof({
  index,
  size,
  stored,
}: {
  index: number;
  size: number;
  stored: number;
}): ProofPlan {
  assert(index >= 0 && index < size && size <= stored, "an inclusion proof is for an entry of a stored tree");
  const ranges: Range[] = [];
  for (let start = 0, end = size; end - start > 1; ) {
    const split = start + splitOf(end - start);
    if (index < split) {
      ranges.push({ start: split, end });
      end = split;
    } else {
      ranges.push({ start, end: split });
      start = split;
    }
  }
  return planRanges(ranges.reverse(), stored);
}

/**
 * Plans the consistency proof of RFC 6962 section 2.1.2 from the tree of `from` leaves to that of `to`. From the empty
 * tree and to the same tree it has no hashes.
 */
export function planConsistencyProof({ from, to, stored }: { from: number; to: number; stored: number }): ProofPlan {
  assert(from >= 0 && from <= to && to <= stored, "a consistency proof goes from a tree to a larger one");
  const ranges: Range[] = [];
  let start = 0;
  let end = from === 0 ? 0 : to;
  while (from < end) {
    const split = start + splitOf(end - start);
    if (from <= split) {
      ranges.push({ start: split, end });
      end = split;
    } else {
      ranges.push({ start, end: split });
      start = split;
    }
  }
  // A whole tree of `from` leaves is what the verifier has already.
  if (start > 0) ranges.push({ start, end });
  return planRanges(ranges.reverse(), stored);
}

/** The hashes of a planned proof; `contents` are the bytes of its tiles, in their order. */
export function proofHashes(
  sha256: Sha256,
  { plan, contents }: { plan: ProofPlan; contents: readonly Uint8Array[] },
): Uint8Array[] {
  plan.tiles.forEach(({ width }, n) => {
    assert(contents[n]?.length === width * HASH_BYTES, "a tile has 32 bytes for each hash of its width");
  });
  return plan.hashes.map((parts) =>
    joinSubtrees(
      sha256,
      parts.map(({ tile, at, count }) =>
        subtreeHash(sha256, (contents[tile] as Uint8Array).subarray(at * HASH_BYTES, (at + count) * HASH_BYTES)),
      ),
    ),
  );
}

function planRanges(ranges: readonly Range[], stored: number): ProofPlan {
  const plan: ProofPlan = { tiles: [], hashes: [] };
  const places = new Map<string, number>();
  const placeOf = (level: number, index: number): number => {
    const known = places.get(`${level}/${index}`);
    if (known !== undefined) return known;
    const tile = tileAt({ level, index, size: stored });
    assert(tile !== null, "a stored tree has the tiles of every smaller one");
    places.set(`${level}/${index}`, plan.tiles.length);
    return plan.tiles.push(tile) - 1;
  };
  for (const { start, end } of ranges) {
    const parts: Part[] = [];
    for (let at = start; at < end; ) {
      const height = heightUnder(end - at);
      const level = Math.floor(height / TILE_HEIGHT);
      const first = at / TILE_WIDTH ** level;
      const tile = placeOf(level, Math.floor(first / TILE_WIDTH));
      parts.push({ tile, at: first % TILE_WIDTH, count: 2 ** (height % TILE_HEIGHT) });
      at += 2 ** height;
    }
    plan.hashes.push(parts);
  }
  return plan;
}

/** The largest power of two that is less than `count`: where RFC 6962 splits a list. */
function splitOf(count: number): number {
  return 2 ** heightUnder(count - 1);
}

/** The height of the largest full tree of at most `count` leaves. */
function heightUnder(count: number): number {
  let height = 0;
  while (2 ** (height + 1) <= count) height++;
  return height;
}
