import { assert } from "../../errors.ts";
import { joinBytes, sameBytes } from "../bytes.ts";
import { PUBLIC_KEY_BYTES } from "../ed25519.ts";
import { base64, fromBase64, hex, utf8 } from "../encoding.ts";
import type { Sha256 } from "../sha256.ts";

/** Of the signature types of C2SP signed-note, the two that are Ed25519. */
export const KEY_TYPE = { ed25519: 0x01, cosignature: 0x04 } as const;

/**
 * A public key that signs notes. `id` is its first word: 4 bytes that say which of the keys of a name signed. A key of
 * type `cosignature` signs what C2SP tlog-cosignature says, one of type `ed25519` the text of the note.
 */
export type NoteKey = { name: string; type: keyof typeof KEY_TYPE; publicKey: Uint8Array; id: Uint8Array };

export const KEY_ID_BYTES = 4;
const NOT_NAME_PATTERN = /[\p{White_Space}+\p{Cs}]/u;

/** A key with its id: the first 4 bytes of SHA-256(name || 0x0A || type || key). Throws for a name that is none. */
export function noteKey(
  sha256: Sha256,
  { name, type, publicKey }: { name: string; type: NoteKey["type"]; publicKey: Uint8Array },
): NoteKey {
  assert(isKeyName(name), "a key name fits a line of a note");
  assert(publicKey.length === PUBLIC_KEY_BYTES, "a public key has 32 bytes");
  const digest = sha256(joinBytes(utf8(`${name}\n`), typedKey(type, publicKey)));
  return { name, type, publicKey, id: new Uint8Array(digest.subarray(0, KEY_ID_BYTES)) };
}

/** The key as its owner publishes it, a C2SP signed-note vkey: `<name>+<id in hex>+<base64 of type and key>`. */
export function formatVkey({ name, type, publicKey, id }: NoteKey): string {
  return `${name}+${hex(id)}+${base64(typedKey(type, publicKey))}`;
}

/** Reads a vkey; a type we cannot verify, an id that is not that of the key, or any other text is refused. */
export function parseVkey(sha256: Sha256, vkey: string): { ok: true; key: NoteKey } | { ok: false; why: string } {
  const parts = vkey.split("+");
  const [name = "", id = ""] = parts;
  // Base64 may hold a plus; a name and an id may not.
  const bytes = fromBase64(parts.slice(2).join("+"));
  if (!isKeyName(name) || bytes === null || bytes.length === 0) return { ok: false, why: "It is no verifier key." };
  const type = (["ed25519", "cosignature"] as const).find((known) => KEY_TYPE[known] === bytes[0]);
  if (type === undefined)
    return { ok: false, why: `Its signature type 0x${hex(bytes.subarray(0, 1))} is not Ed25519.` };
  if (bytes.length !== 1 + PUBLIC_KEY_BYTES) return { ok: false, why: "Its key is not 32 bytes long." };
  const key = noteKey(sha256, { name, type, publicKey: bytes.slice(1) });
  return hex(key.id) === id ? { ok: true, key } : { ok: false, why: "Its id is not that of its name and key." };
}

/** Whether two keys are the same one. */
export function sameKey(a: NoteKey, b: NoteKey): boolean {
  return a.name === b.name && a.type === b.type && sameBytes(a.publicKey, b.publicKey);
}

/** Not empty, no white space and no plus: C2SP signed-note. */
export function isKeyName(name: string): boolean {
  return name !== "" && !NOT_NAME_PATTERN.test(name);
}

function typedKey(type: NoteKey["type"], publicKey: Uint8Array): Uint8Array {
  return joinBytes(Uint8Array.of(KEY_TYPE[type]), publicKey);
}
