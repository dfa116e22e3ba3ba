import { NOTE_MAX_BYTES, NOTE_MAX_SIGNATURES } from "../../limits.ts";
import { joinBytes } from "../bytes.ts";
import { base64, fromBase64, utf8 } from "../encoding.ts";
import { isKeyName, KEY_ID_BYTES } from "./note-key.ts";

/** A signature as a note carries it: who says to have signed, the key's 4 bytes of id, and what the key made. */
export type NoteSignature = { name: string; id: Uint8Array; signature: Uint8Array };

/** `text` ends in a line end. Nothing of a note is to be believed before `openNote` has verified it. */
export type Note = { text: string; signatures: NoteSignature[] };

const LINE_END = 0x0a;
const SPACE = 0x20;

/** A signature line with its line end: `— <name> <base64 of id and signature>`. */
export function signatureLine({ name, id, signature }: NoteSignature): string {
  return `— ${name} ${base64(joinBytes(id, signature))}\n`;
}

/** The text of a note without its signatures, as it says; empty for what has none. Nobody has verified it. */
export function noteText(note: string): string {
  return note.slice(0, note.indexOf("\n\n") + 1);
}

/** Reads a C2SP signed-note: text, an empty line, one signature line or more, and nothing else. */
export function parseNote(
  note: string,
  maxBytes = NOTE_MAX_BYTES,
): { ok: true; note: Note } | { ok: false; why: string } {
  if (note.length > maxBytes || utf8(note).length > maxBytes) {
    return { ok: false, why: `It is longer than ${maxBytes} bytes.` };
  }
  if (!isNoteText(note)) return { ok: false, why: "It holds characters that no note may hold." };
  // The text may have empty lines: the last one ends it.
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) return { ok: false, why: "It is not a text, an empty line and signatures." };
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > NOTE_MAX_SIGNATURES) return { ok: false, why: `It has over ${NOTE_MAX_SIGNATURES} signatures.` };
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = readSignature(line);
    if (signature === null) return { ok: false, why: "What follows its text is not only signatures." };
    signatures.push(signature);
  }
  return { ok: true, note: { text: note.slice(0, split + 1), signatures } };
}

function readSignature(line: string): NoteSignature | null {
  const [dash, name, encoded, ...more] = line.split(" ");
  if (dash !== "—" || name === undefined || encoded === undefined || more.length > 0 || !isKeyName(name)) return null;
  const bytes = fromBase64(encoded);
  if (bytes === null || bytes.length <= KEY_ID_BYTES) return null;
  return { name, id: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) };
}

/** UTF-8, with no control character of ASCII but the line end. */
function isNoteText(note: string): boolean {
  for (let at = 0; at < note.length; at++) {
    const unit = note.charCodeAt(at);
    if (unit < SPACE && unit !== LINE_END) return false;
  }
  return note.isWellFormed();
}
