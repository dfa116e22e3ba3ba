import type { VerifyEd25519 } from "../ed25519.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import type { NoteKey } from "./note-key.ts";
import { openNote } from "./open-note.ts";

/** A witness's word, and its line: as of a time (seconds since the epoch) it saw no other tree of this log. */
export type Cosigned = { name: string; timestamp: number; line: string };

export type OpenedCheckpoint =
  | { ok: true; checkpoint: Required<Checkpoint>; text: string; cosigned: Cosigned[] }
  | { ok: false; kind: "malformed" | "bad_signature" | "unknown_key" | "other_log"; why: string };

/**
 * Opens a checkpoint of the log `origin`. It must be signed by one of `keys` that is of type `ed25519` and has the
 * origin as its name; those of type `cosignature` are the witnesses one knows. How many it takes is for the caller.
 */
export async function openCheckpoint(
  verifyEd25519: VerifyEd25519,
  { note, origin, keys }: { note: string; origin: string; keys: readonly NoteKey[] },
): Promise<OpenedCheckpoint> {
  const opened = await openNote(verifyEd25519, { note, keys });
  if (!opened.ok) return opened;
  const checkpoint = parseCheckpoint(opened.text);
  if (checkpoint === null) return { ok: false, kind: "malformed", why: "Its text is not that of a checkpoint." };
  if (checkpoint.origin !== origin) {
    return { ok: false, kind: "other_log", why: `It is of the log ${checkpoint.origin}, not of ${origin}.` };
  }
  if (!opened.signed.some(({ key }) => key.type === "ed25519" && key.name === origin)) {
    return { ok: false, kind: "unknown_key", why: "None of the keys given that are the log's has signed it." };
  }
  const cosigned = opened.signed.flatMap(({ key: { name }, timestamp, line }) =>
    timestamp === null ? [] : [{ name, timestamp, line }],
  );
  return { ok: true, checkpoint, text: opened.text, cosigned };
}
