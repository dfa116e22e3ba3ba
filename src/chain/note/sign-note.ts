import type { Ed25519Signer } from "../ed25519.ts";
import { utf8 } from "../encoding.ts";
import type { Sha256 } from "../sha256.ts";
import { type Checkpoint, checkpointText } from "./checkpoint.ts";
import { signatureLine } from "./note.ts";
import { noteKey } from "./note-key.ts";

/**
 * The checkpoint as the log publishes it: a C2SP tlog-checkpoint, signed by each of the log's keys under the log's
 * origin as their name. Who calls answers for never signing two roots at one size.
 */
export function signCheckpoint(
  sha256: Sha256,
  { checkpoint, signers }: { checkpoint: Checkpoint; signers: readonly Ed25519Signer[] },
): string {
  return signNote(sha256, { text: checkpointText(checkpoint), name: checkpoint.origin, signers });
}

/** A text as a C2SP signed-note, signed by each of the signers under this name. The text ends in a line end. */
export function signNote(
  sha256: Sha256,
  { text, name, signers }: { text: string; name: string; signers: readonly Ed25519Signer[] },
): string {
  const lines = signers.map((signer) => {
    const { id } = noteKey(sha256, { name, type: "ed25519", publicKey: signer.publicKey });
    return signatureLine({ name, id, signature: signer.sign(utf8(text)) });
  });
  return `${text}\n${lines.join("")}`;
}
