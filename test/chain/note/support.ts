import type { Ed25519Signer } from "../../../src/chain/ed25519.ts";
import { parseNote, signatureLine } from "../../../src/chain/note/note.ts";
import { type NoteKey, noteKey } from "../../../src/chain/note/note-key.ts";
import { cosignatureBytes, cosignedMessage } from "../../../src/chain/note/open-note.ts";
import { ed25519Signer } from "../../../src/ed25519.ts";
import { sha256 } from "../support.ts";

/** A signer whose seed is this byte, 32 times. */
export function signer(byte: number): Ed25519Signer {
  return ed25519Signer(new Uint8Array(32).fill(byte));
}

export function keyOf({ publicKey }: Ed25519Signer, name: string, type: NoteKey["type"] = "ed25519"): NoteKey {
  return noteKey(sha256, { name, type, publicKey });
}

/** A note of this text, signed by each. */
export function signedNote(text: string, signers: readonly [name: string, signer: Ed25519Signer][]): string {
  const lines = signers.map(([name, by]) => {
    const { id } = keyOf(by, name);
    return signatureLine({ name, id, signature: by.sign(Buffer.from(text)) });
  });
  return `${text}\n${lines.join("")}`;
}

/** The line a witness of this name answers with. */
export function cosign(
  note: string,
  { name, by, timestamp }: { name: string; by: Ed25519Signer; timestamp: number },
): string {
  const parsed = parseNote(note);
  if (!parsed.ok) throw new Error(parsed.why);
  const signature = by.sign(cosignedMessage({ text: parsed.note.text, timestamp }));
  const { id } = keyOf(by, name, "cosignature");
  return signatureLine({ name, id, signature: cosignatureBytes({ timestamp, signature }) });
}
