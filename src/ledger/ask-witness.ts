import type { VerifyEd25519 } from "../chain/ed25519.ts";
import { readDecimal } from "../chain/note/checkpoint.ts";
import { noteText } from "../chain/note/note.ts";
import { openNote } from "../chain/note/open-note.ts";
import { addCheckpointBody } from "../chain/note/witness-request.ts";
import type { Witness } from "../env.ts";
import { WITNESS_ANSWER_MAX_BYTES, WITNESS_TIMEOUT_MS } from "../limits.ts";

/** A checkpoint, and the consistency proof from the one of `from` entries, the last that the witness cosigned. */
export type WitnessQuestion = { from: number; hashes: readonly Uint8Array[]; checkpoint: string };

/**
 * What came of asking. `behind`: the witness cosigned a tree of another size last, so it is to be asked again from there.
 * `refused`: asking again as things are would not help. `away`: it may later.
 */
export type WitnessAnswer =
  | { kind: "cosigned"; line: string; timestamp: number }
  | { kind: "behind"; size: number }
  | { kind: "refused"; why: string }
  | { kind: "away"; why: string };

/** Why a status that C2SP tlog-witness names is no cosignature. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: "it could not read the request (400)",
  403: "it does not trust the key of this log (403)",
  404: "it does not know this log (404)",
  422: "it does not accept the consistency proof (422)",
};

/** Asks a witness for its cosignature: C2SP tlog-witness, "add-checkpoint". Never throws, and never waits longer than WITNESS_TIMEOUT_MS. */
export async function askWitness(
  verifyEd25519: VerifyEd25519,
  { url, key }: Witness,
  question: WitnessQuestion,
): Promise<WitnessAnswer> {
  try {
    const response = await fetch(`${url}/add-checkpoint`, {
      method: "POST",
      body: addCheckpointBody(question),
      headers: { "content-type": "text/plain; charset=utf-8" },
      // Whoever answers in its place is not the one configured.
      redirect: "manual",
      signal: AbortSignal.timeout(WITNESS_TIMEOUT_MS),
    });
    const text = await textOf(response);
    if (text === null) return { kind: "away", why: `its answer is longer than ${WITNESS_ANSWER_MAX_BYTES} bytes` };
    if (response.status === 200)
      return await readCosignature(verifyEd25519, { key, checkpoint: question.checkpoint, text });
    if (response.status === 409) return readConflict(text, question);
    const why = REFUSALS[response.status];
    return why === undefined ? { kind: "away", why: `it answered ${response.status}` } : { kind: "refused", why };
  } catch (error) {
    return { kind: "away", why: error instanceof Error ? error.message : String(error) };
  }
}

/** Lines of other keys say nothing, and are not kept. */
async function readCosignature(
  verifyEd25519: VerifyEd25519,
  { key, checkpoint, text }: { key: Witness["key"]; checkpoint: string; text: string },
): Promise<WitnessAnswer> {
  const opened = await openNote(verifyEd25519, { note: checkpoint + text, keys: [key] });
  if (!opened.ok) return { kind: "away", why: `its answer holds no cosignature of its key: ${opened.why}` };
  const [signed] = opened.signed;
  // It may have signed a longer text that begins with the checkpoint. Served, its line would spoil the note for who knows its key.
  if (opened.text !== noteText(checkpoint)) return { kind: "away", why: "its answer is of another text" };
  if (signed === undefined || signed.timestamp === null) return { kind: "away", why: "its answer is no cosignature" };
  return { kind: "cosigned", line: signed.line, timestamp: signed.timestamp };
}

function readConflict(text: string, { from }: WitnessQuestion): WitnessAnswer {
  const size = text.endsWith("\n") ? readDecimal(text.slice(0, -1)) : null;
  if (size === null) return { kind: "away", why: "it answered 409 without a size" };
  // Same size and still a conflict: what it saw there has another root.
  return size === from ? { kind: "refused", why: `it saw another tree of ${size} entries` } : { kind: "behind", size };
}

/** The body, no further than the limit; null past it. */
async function textOf(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > WITNESS_ANSWER_MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
