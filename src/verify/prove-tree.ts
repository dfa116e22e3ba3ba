import { base64 } from "../chain/encoding.ts";
import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { consistencyOf, inclusionOf } from "../archive/prove.ts";
import { TreeTiles } from "../archive/tree-tiles.ts";
import { type TreeReader, treeOf } from "./tree-view.ts";

/** Hashes and roots are base64, as in checkpoints. */
export type InclusionProof = {
  log: string;
  index: number;
  size: number;
  leaf_hash: string;
  root: string;
  hashes: string[];
};
export type ConsistencyProof = {
  log: string;
  from: number;
  to: number;
  from_root: string;
  to_root: string;
  hashes: string[];
};

/** A proof that never changes, and whether everybody may keep it. */
export type Proved<T> = { proof: T; public: boolean };

/** Source: RFC 9162 section 2.1.3. `size` null is that of the newest checkpoint. */
export async function proveInclusion(
  config: Config,
  reader: TreeReader,
  { index, size: asked }: { index: number; size: number | null },
): Promise<Result<Proved<InclusionProof>>> {
  const tree = await treeOf(config, reader);
  if (!tree.ok) return tree;
  const { log, size: stored, public: open } = tree.value;
  const size = asked ?? stored;
  if (size > stored) return beyond(stored);
  if (index >= size) return refuse("invalid_request", `index has to be below size, which is ${size}.`);
  const made = await inclusionOf(new TreeTiles(config.archive, tree.value), { index, size, stored });
  const [leaf_hash, root, hashes] = [base64(made.leafHash), base64(made.root), made.hashes.map(base64)];
  return ok({ proof: { log, index, size, leaf_hash, root, hashes }, public: open });
}

/** Source: RFC 9162 section 2.1.4. `to` null is the size of the newest checkpoint. */
export async function proveConsistency(
  config: Config,
  reader: TreeReader,
  { from, to: asked }: { from: number; to: number | null },
): Promise<Result<Proved<ConsistencyProof>>> {
  const tree = await treeOf(config, reader);
  if (!tree.ok) return tree;
  const { log, size: stored, public: open } = tree.value;
  const to = asked ?? stored;
  if (to > stored) return beyond(stored);
  if (from > to) return refuse("invalid_request", `from has to be at most to, which is ${to}.`);
  const made = await consistencyOf(new TreeTiles(config.archive, tree.value), { from, to, stored });
  const [from_root, to_root, hashes] = [base64(made.roots.from), base64(made.roots.to), made.hashes.map(base64)];
  return ok({ proof: { log, from, to, from_root, to_root, hashes }, public: open });
}

function beyond(stored: number) {
  return refuse("not_found", `The newest checkpoint is of ${stored} entries.`);
}
