import { TreeTiles } from "../archive/tree-tiles.ts";
import { entryHash } from "../chain/leaf.ts";
import { parseCheckpoint } from "../chain/note/checkpoint.ts";
import { noteText } from "../chain/note/note.ts";
import { verifyInclusion } from "../chain/proof/verify-inclusion.ts";
import { planInclusionProof, proofHashes } from "../chain/tree/prove.ts";
import type { Config } from "../env.ts";
import { assert, ok, type Result } from "../errors.ts";
import type { Caller } from "../schema/caller.ts";
import type { NumberedLog } from "../schema/export.ts";
import { sha256 } from "../sha256.ts";
import { treeOf } from "../verify/tree-view.ts";

/**
 * Proves entries of one log under an export's checkpoint, from the tiles of the tree as it is published now, which may have
 * grown. Each proof was verified for the leaf of its line before it is given out.
 */
export class LineProver {
  readonly #tiles: TreeTiles;
  readonly #stored: number;
  readonly #size: number;
  readonly #root: Uint8Array;

  private constructor({
    tiles,
    stored,
    size,
    root,
  }: { tiles: TreeTiles; stored: number; size: number; root: Uint8Array }) {
    this.#tiles = tiles;
    this.#stored = stored;
    this.#size = size;
    this.#root = root;
  }

  /** Null for a log without a checkpoint. */
  static async of(
    config: Config,
    { org, by }: { org: string; by: Caller },
    { number, checkpoint }: NumberedLog,
  ): Promise<Result<LineProver | null>> {
    if (checkpoint === null) return ok(null);
    const tree = await treeOf(config, { org, caller: by, number });
    if (!tree.ok) return tree;
    const parsed = parseCheckpoint(noteText(checkpoint));
    assert(parsed !== null, "an export's checkpoint can be read");
    const { size, root } = parsed;
    return ok(
      new LineProver({ tiles: new TreeTiles(config.archive, tree.value), stored: tree.value.size, size, root }),
    );
  }

  /** The hashes of the inclusion proof. */
  async prove(index: number, leaf: string): Promise<Uint8Array[]> {
    const size = this.#size;
    const plan = planInclusionProof({ index, size, stored: this.#stored });
    const contents = await Promise.all(plan.tiles.map((tile) => this.#tiles.read(tile)));
    const hashes = proofHashes(sha256, { plan, contents });
    const proven = verifyInclusion(sha256, {
      index,
      size,
      leafHash: entryHash(sha256, leaf),
      root: this.#root,
      hashes,
    });
    assert(proven, "a line that is exported is what the tree holds");
    return hashes;
  }
}
