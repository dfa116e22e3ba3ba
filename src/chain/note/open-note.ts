import { joinBytes, sameBytes } from "../bytes.ts";
import { SIGNATURE_BYTES, type VerifyEd25519 } from "../ed25519.ts";
import { utf8 } from "../encoding.ts";
import { type Note, type NoteSignature, parseNote, signatureLine } from "./note.ts";
import { type NoteKey, sameKey } from "./note-key.ts";

/** A signature that was verified, and its line. `timestamp` is a cosignature's, in seconds since the epoch. */
type Signed = { key: NoteKey; timestamp: number | null; line: string };

export type OpenedNote =
  | { ok: true; text: string; signed: Signed[] }
  | { ok: false; kind: "malformed" | "bad_signature" | "unknown_key"; why: string };

const TIMESTAMP_BYTES = 8;
/** The last second that a date can hold. */
const TIMESTAMP_MAX = 8_640_000_000_000;

/**
 * Opens a signed note with the keys one trusts: C2SP signed-note. Signatures by other keys say nothing and are passed
 * over; one bad signature by a known key refuses the note, as does the lack of a good one. `signed` has a key once.
 */
export async function openNote(
  verifyEd25519: VerifyEd25519,
  { note, keys, maxBytes }: { note: string; keys: readonly NoteKey[]; maxBytes?: number },
): Promise<OpenedNote> {
  const parsed = parseNote(note, maxBytes);
  if (!parsed.ok) return { ok: false, kind: "malformed", why: parsed.why };
  const signed: Signed[] = [];
  for (const signature of parsed.note.signatures) {
    // Two known keys with one name and id would both have to agree.
    for (const key of keys.filter(({ name, id }) => name === signature.name && sameBytes(id, signature.id))) {
      const verified = await verifySignature(verifyEd25519, { key, note: parsed.note, signature });
      if (verified === null) {
        return { ok: false, kind: "bad_signature", why: `The signature of ${key.name} is not of this text.` };
      }
      if (!signed.some((known) => sameKey(known.key, key))) signed.push(verified);
    }
  }
  if (signed.length === 0) return { ok: false, kind: "unknown_key", why: "None of the keys given has signed it." };
  return { ok: true, text: parsed.note.text, signed };
}

async function verifySignature(
  verifyEd25519: VerifyEd25519,
  { key, note, signature }: { key: NoteKey; note: Note; signature: NoteSignature },
): Promise<Signed | null> {
  const { publicKey } = key;
  if (key.type === "ed25519") {
    const plain = { publicKey, message: utf8(note.text), signature: signature.signature };
    if (plain.signature.length !== SIGNATURE_BYTES || !(await verifyEd25519(plain))) return null;
    return { key, timestamp: null, line: signatureLine(signature) };
  }
  const stamped = readCosignature(signature.signature);
  if (stamped === null) return null;
  const message = cosignedMessage({ text: note.text, timestamp: stamped.timestamp });
  const verified = await verifyEd25519({ publicKey, message, signature: stamped.signature });
  return verified ? { key, timestamp: stamped.timestamp, line: signatureLine(signature) } : null;
}

/** What an Ed25519 cosignature signs: C2SP tlog-cosignature, "Ed25519 signed message". */
export function cosignedMessage({ text, timestamp }: { text: string; timestamp: number }): Uint8Array {
  return utf8(`cosignature/v1\ntime ${timestamp}\n${text}`);
}

/** The bytes of a cosignature: the time in seconds as a big-endian uint64, then the signature. */
export function cosignatureBytes({ timestamp, signature }: { timestamp: number; signature: Uint8Array }): Uint8Array {
  const time = new DataView(new ArrayBuffer(TIMESTAMP_BYTES));
  time.setBigUint64(0, BigInt(timestamp));
  return joinBytes(new Uint8Array(time.buffer), signature);
}

/** Null for bytes of another length, and for a time that bounds nothing: 0, and one that is no date. */
function readCosignature(bytes: Uint8Array): { timestamp: number; signature: Uint8Array } | null {
  if (bytes.length !== TIMESTAMP_BYTES + SIGNATURE_BYTES) return null;
  const timestamp = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
  if (timestamp < 1 || timestamp > TIMESTAMP_MAX) return null;
  return { timestamp, signature: bytes.subarray(TIMESTAMP_BYTES) };
}
