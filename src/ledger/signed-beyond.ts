import { listCheckpoints, readCheckpoint } from "../archive/tree.ts";
import { openCheckpoint } from "../chain/note/open-checkpoint.ts";
import { noteKey } from "../chain/note/note-key.ts";
import { log as say } from "../log.ts";
import { logSigner } from "../log-signer.ts";
import { sha256 } from "../sha256.ts";
import { verifyEd25519 } from "../verify-ed25519.ts";
import type { Core } from "./core.ts";

/** A checkpoint as R2 holds it. */
export type Signed = { size: number; note: string };

/**
 * The size of a checkpoint in R2 that covers more than the ledger holds and that this log's key signed; 0 when there is
 * none. It says how far the ledger was: a smaller one would sign a second tree.
 */
export async function signedBeyond(core: Core): Promise<number> {
  const { state, config } = core;
  const { log } = state.org;
  const beyond = async (after: number) => listCheckpoints(config.archive, { log, after });
  const { sizes, whole } = await beyond(state.tree.size);
  // The publisher need not ask again.
  state.aheadCheckpoints = sizes;
  const newer = whole ? sizes.filter((size) => size > state.head.size) : (await beyond(state.head.size)).sizes;
  return (await newestOf(core, newer))?.size ?? 0;
}

/** The newest checkpoint of the log that anybody can have been given: in R2, or the ledger's own; null before the first. */
export async function newestSigned(core: Core): Promise<Signed | null> {
  const { state, config } = core;
  const { size, note } = state.tree;
  let newest: Signed | null = note === null ? null : { size, note };
  for (let after = size; ; ) {
    const { sizes, whole } = await listCheckpoints(config.archive, { log: state.org.log, after });
    newest = (await newestOf(core, sizes)) ?? newest;
    const last = sizes.at(-1);
    if (whole || last === undefined) return newest;
    after = last;
  }
}

/** Of the checkpoints of these sizes the largest that this log's key signed. */
async function newestOf({ state, config }: Core, sizes: readonly number[]): Promise<Signed | null> {
  if (sizes.length === 0) return null;
  const { log } = state.org;
  const { publicKey } = logSigner(config, log);
  const keys = [noteKey(sha256, { name: log, type: "ed25519", publicKey })];
  for (const size of sizes.toReversed()) {
    const note = await readCheckpoint(config.archive, { log, size });
    const opened = note === null ? null : await openCheckpoint(verifyEd25519, { note, origin: log, keys });
    if (note !== null && opened?.ok === true && opened.checkpoint.size === size) return { size, note };
    // Anybody who can write R2 could stop the log with it. It is left where it is, for who looks into it.
    say("warn", { message: "R2 holds a checkpoint that this log did not sign", log, size });
  }
  return null;
}
