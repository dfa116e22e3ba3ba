import { predecessorText } from "../../chain/continuation.ts";
import { noteText } from "../../chain/note/note.ts";
import { NOTE_MAX_BYTES } from "../../limits.ts";
import { sha256 } from "../../sha256.ts";
import { parseCheckpoint } from "../../verifier/index.ts";
import { LOG_KEY_MAX_BYTES } from "./trust.ts";
import type { LogTarget } from "./verify-log.ts";

/** A log where one was looked for. `note` is its checkpoint, null while it has none. */
export type FoundLog = { kind: "there"; target: LogTarget; note: string | null };
export type Look = FoundLog | { kind: "none" } | { kind: "unread"; why: string; status?: number };

/** Looks for a log. One without a checkpoint is known by its key, which it has from the beginning. */
export async function findLog(target: LogTarget): Promise<Look> {
  const note = await target.source.read("checkpoint", { maxBytes: NOTE_MAX_BYTES });
  if (note.kind === "bytes") return { kind: "there", target, note: new TextDecoder().decode(note.bytes) };
  if (note.kind === "unread") return note;
  const key = await target.source.read("log-key", { maxBytes: LOG_KEY_MAX_BYTES });
  if (key.kind === "unread") return key;
  return key.kind === "bytes" ? { kind: "there", target, note: null } : { kind: "none" };
}

/** What the genesis of the next log names of this one; null when what was found says nothing. */
export function namedByNext(look: Look | null, origin: string): string | null {
  if (look?.kind !== "there") return null;
  const { note } = look;
  if (note !== null && parseCheckpoint(noteText(note)) === null) return null;
  return predecessorText(sha256, { origin, note });
}
