import { utf8 } from "../../../src/chain/encoding.ts";
import { signCheckpoint } from "../../../src/chain/note/sign-note.ts";
import type { NoteKey } from "../../../src/chain/note/note-key.ts";
import { type TlogProof } from "../../../src/chain/proof/tlog-proof.ts";
import { keyOf, signer } from "../note/support.ts";
import { sha256, type TestLog } from "../support.ts";
import { StoredTree } from "../tree/support.ts";

export const LOG_SIGNER = signer(1);

export function logKey(log: string): NoteKey {
  return keyOf(LOG_SIGNER, log);
}

/** The proof of one entry of a log, in its tree of `size`; `line` stands in for the record. */
export function proofOf(
  { log, sealed }: TestLog,
  { index, size = sealed.length, line }: { index: number; size?: number; line?: string },
): TlogProof {
  const tree = new StoredTree();
  tree.grow(sealed.map(({ hash }) => hash));
  const checkpoint = { origin: log, size, root: tree.root(size) };
  return {
    extra: utf8(line ?? sealed[index]?.line ?? ""),
    index,
    hashes: tree.inclusion(index, size),
    checkpoint: signCheckpoint(sha256, { checkpoint, signers: [LOG_SIGNER] }),
  };
}
