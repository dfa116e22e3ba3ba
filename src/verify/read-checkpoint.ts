import { noteKey, formatVkey } from "../chain/note/note-key.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { logSigner } from "../log-signer.ts";
import { sha256 } from "../sha256.ts";
import { type TreeReader, treeOf, viewOf } from "./tree-view.ts";

/** The newest checkpoint, a signed note; with `minSize`, of at least so many entries, for who has a key. */
export async function readCheckpoint(config: Config, reader: TreeReader, minSize: number): Promise<Result<string>> {
  const tree = await treeOf(config, reader, minSize);
  return tree.ok ? ok(tree.value.note) : tree;
}

/** The vkeys that sign the log's checkpoints, a line each. */
export async function readLogKey(config: Config, reader: TreeReader): Promise<Result<string>> {
  const view = await viewOf(config, reader);
  if (!view.ok) return view;
  const { log } = view.value;
  const { publicKey } = logSigner(config, log);
  return ok(`${formatVkey(noteKey(sha256, { name: log, type: "ed25519", publicKey }))}\n`);
}
