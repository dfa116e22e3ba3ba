import type { Sha256 } from "./sha256.ts";

/** Grows to the largest event and no further: what is larger is hashed in memory of its own. */
const KEPT_MAX_BYTES = 524_288;
/** Below this length a loop beats the call into the encoder. */
const LOOP_MAX_CHARACTERS = 96;

const encoder = new TextEncoder();
let kept = new Uint8Array(16_384);

/**
 * SHA-256 of `head`, then `salt` (16 bytes at `saltAt`, or none), then the UTF-8 of `text`. Nothing is allocated for
 * the input: `sha256` gets a view of memory that the next call overwrites.
 */
export function digest(
  sha256: Sha256,
  { head, salt, saltAt, text }: { head: Uint8Array; salt: Uint8Array | null; saltAt: number; text: string },
): Uint8Array {
  const bytes = room(head.length + SALT_BYTES + text.length * 3);
  bytes.set(head);
  let end = head.length;
  if (salt !== null) for (let at = 0; at < SALT_BYTES; at++) bytes[end++] = salt[saltAt + at] as number;
  end = writeText(bytes, end, text);
  return sha256(bytes.subarray(0, end));
}

/** Bytes of a section's salt. */
export const SALT_BYTES = 16;

/** Writes the UTF-8 of `text` at `start`; answers where it ends. */
function writeText(bytes: Uint8Array, start: number, text: string): number {
  if (text.length > LOOP_MAX_CHARACTERS) return start + encoder.encodeInto(text, bytes.subarray(start)).written;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 127) return start + encoder.encodeInto(text, bytes.subarray(start)).written;
    bytes[start + at] = unit;
  }
  return start + text.length;
}

function room(size: number): Uint8Array {
  if (size <= kept.length) return kept;
  if (size > KEPT_MAX_BYTES) return new Uint8Array(size);
  kept = new Uint8Array(Math.min(KEPT_MAX_BYTES, size * 2));
  return kept;
}
