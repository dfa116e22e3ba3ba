import { listCheckpoints, readCheckpoint } from "../archive/tree.ts";
import { openCheckpoint } from "../chain/note/open-checkpoint.ts";
import { noteKey } from "../chain/note/note-key.ts";
import { log as say } from "../log.ts";
import { logSigner } from "../log-signer.ts";
import { sha256 } from "../sha256.ts";
import { verifyEd25519 } from "../verify-ed25519.ts";
import type { Core } from "./core.ts";

/**
 * The size of a checkpoint in R2 that covers more than the ledger holds and that this log's key signed; 0 when there is
 * none. It says how far the ledger was: a smaller one would sign a second tree.
 */
export async function signedBeyond({ state, config }: Core): Promise<number> {
  const { log } = state.org;
  const beyond = async (after: number) => listCheckpoints(config.archive, { log, after });
  const { sizes, whole } = await beyond(state.tree.size);
  // The publisher need not ask again.
  state.aheadCheckpoints = sizes;
  const newer = whole ? sizes.filter((size) => size > state.head.size) : (await beyond(state.head.size)).sizes;
  if (newer.length === 0) return 0;
  const { publicKey } = logSigner(config, log);
  const keys = [noteKey(sha256, { name: log, type: "ed25519", publicKey })];
  for (const size of newer.toReversed()) {
    const note = await readCheckpoint(config.archive, { log, size });
    const opened = note === null ? null : await openCheckpoint(verifyEd25519, { note, origin: log, keys });
    if (opened?.ok === true && opened.checkpoint.size === size) return size;
    // Anybody who can write R2 could stop the log with it. It is left where it is, for who looks into it.
    say("warn", { message: "R2 holds a checkpoint that this log did not sign", log, size });
  }
  return 0;
}
