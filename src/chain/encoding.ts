const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX = "0123456789abcdef";
/** Character codes go to `String.fromCharCode` as arguments, of which an engine takes a limited number. */
const CHUNK_BYTES = 3 * 1024;

const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const VALUES = new Int8Array(128).fill(-1);
CODES.forEach((code, value) => {
  VALUES[code] = value;
});

const encoder = new TextEncoder();

/** The UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Base64url without padding: RFC 4648 section 5. */
export function base64url(bytes: Uint8Array): string {
  return base64urlOf(bytes, { start: 0, end: bytes.length });
}

/** Like `base64url`, for the bytes of a range: saves a view of each salt and hash. */
export function base64urlOf(bytes: Uint8Array, { start, end }: { start: number; end: number }): string {
  let text = "";
  for (let at = start; at < end; at += CHUNK_BYTES) text += encodeChunk(bytes, at, Math.min(end, at + CHUNK_BYTES));
  return text;
}

function encodeChunk(bytes: Uint8Array, start: number, end: number): string {
  const codes: number[] = [];
  const whole = end - ((end - start) % 3);
  let out = 0;
  for (let at = start; at < whole; at += 3) {
    const bits = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    codes[out] = code(bits >> 18);
    codes[out + 1] = code(bits >> 12);
    codes[out + 2] = code(bits >> 6);
    codes[out + 3] = code(bits);
    out += 4;
  }
  if (end - whole === 1) {
    const bits = bytes[whole] as number;
    codes[out] = code(bits >> 2);
    codes[out + 1] = code(bits << 4);
  } else if (end - whole === 2) {
    const bits = ((bytes[whole] as number) << 8) | (bytes[whole + 1] as number);
    codes[out] = code(bits >> 10);
    codes[out + 1] = code(bits >> 4);
    codes[out + 2] = code(bits << 2);
  }
  return String.fromCharCode.apply(null, codes);
}

function code(bits: number): number {
  return CODES[bits & 63] as number;
}

/**
 * The bytes of an unpadded base64url text; null when it is not exactly what `base64url` writes: padding, white space,
 * other characters, an impossible length and unused bits that are not zero are all refused.
 */
export function fromBase64url(text: string): Uint8Array | null {
  const rest = text.length % 4;
  if (rest === 1) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let out = 0;
  for (let at = 0; at < text.length; at++) {
    const value = VALUES[text.charCodeAt(at)] ?? -1;
    if (value < 0) return null;
    bits = (bits << 6) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[out++] = bits >> held;
    bits &= (1 << held) - 1;
  }
  return bits === 0 ? bytes : null;
}

/** Base64 with padding: RFC 4648 section 4, as the C2SP texts have it. */
export function base64(bytes: Uint8Array): string {
  const text = base64url(bytes).replaceAll("-", "+").replaceAll("_", "/");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/** The bytes of a base64 text; null when it is not exactly what `base64` writes. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || /[-_]/.test(text)) return null;
  return fromBase64url(
    text
      .replace(/={1,2}$/, "")
      .replaceAll("+", "-")
      .replaceAll("/", "_"),
  );
}

/** Lower-case hexadecimal digits, two a byte. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += (HEX[byte >> 4] as string) + HEX[byte & 15];
  return text;
}
