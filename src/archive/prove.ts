import { HASH_BYTES } from "../chain/node-hash.ts";
import { verifyConsistency } from "../chain/proof/verify-consistency.ts";
import { verifyInclusion } from "../chain/proof/verify-inclusion.ts";
import { rootFromEdge } from "../chain/proof/verify-tiles.ts";
import { edgeTiles, TILE_WIDTH } from "../chain/tile.ts";
import { planConsistencyProof, planInclusionProof, type ProofPlan, proofHashes } from "../chain/tree/prove.ts";
import { assert } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import type { TreeTiles } from "./tree-tiles.ts";

/** Hashes are 32 bytes; `root` is that of the tree of `size` leaves. */
type Inclusion = { leafHash: Uint8Array; root: Uint8Array; hashes: Uint8Array[] };

/**
 * The inclusion proof of entry `index` in the tree of `size` leaves, `stored` being what is published. It was verified
 * before this returns: what R2 holds is believed by nobody.
 */
export async function inclusionOf(
  tiles: TreeTiles,
  { index, size, stored }: { index: number; size: number; stored: number },
): Promise<Inclusion> {
  const plan = planInclusionProof({ index, size, stored });
  const at = index % TILE_WIDTH;
  const row = { level: 0, index: Math.floor(index / TILE_WIDTH), width: at + 1 };
  const [hashes, root, bottom] = await Promise.all([hashesOf(tiles, plan), rootOf(tiles, size), tiles.read(row)]);
  const leafHash = bottom.slice(at * HASH_BYTES);
  assert(verifyInclusion(sha256, { index, size, leafHash, root, hashes }), "a proof that is answered verifies");
  return { leafHash, root, hashes };
}

type Consistency = { hashes: Uint8Array[]; roots: { from: Uint8Array; to: Uint8Array } };

/** The consistency proof from the tree of `from` leaves to that of `to`, verified before this returns. */
export async function consistencyOf(
  tiles: TreeTiles,
  { from, to, stored }: { from: number; to: number; stored: number },
): Promise<Consistency> {
  const plan = planConsistencyProof({ from, to, stored });
  const [hashes, older, newer] = await Promise.all([hashesOf(tiles, plan), rootOf(tiles, from), rootOf(tiles, to)]);
  const sound = verifyConsistency(sha256, { from: { size: from, root: older }, to: { size: to, root: newer }, hashes });
  assert(sound, "a proof that is answered verifies");
  return { hashes, roots: { from: older, to: newer } };
}

async function hashesOf(tiles: TreeTiles, plan: ProofPlan): Promise<Uint8Array[]> {
  const contents = await Promise.all(plan.tiles.map((tile) => tiles.read(tile)));
  return proofHashes(sha256, { plan, contents });
}

/** The root of the tree as it was at `size`. */
async function rootOf(tiles: TreeTiles, size: number): Promise<Uint8Array> {
  const edge = await Promise.all(edgeTiles(size).map((tile) => tiles.read(tile)));
  const root = rootFromEdge(sha256, { size, edge });
  assert(root !== null, "edge tiles are as wide as they were asked for");
  return root;
}
