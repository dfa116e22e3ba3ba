/** A 128-bit key as four little-endian words, low word first. */
export type SipKey = readonly [number, number, number, number];

/** Reads the first 16 bytes as a key. */
export function sipKeyOf(bytes: Uint8Array): SipKey {
  return [wordAt(bytes, 0), wordAt(bytes, 4), wordAt(bytes, 8), wordAt(bytes, 12)];
}

/** The state v0…v3, each as low and high word; used within one synchronous call only. */
const v = new Int32Array(8);

/** Writes a 64-bit number, given in halves, as text. */
export type WriteNumber = (high: number, low: number) => string;

/**
 * SipHash-2-4 of the first `length` bytes, written by `write` (16 hexadecimal digits unless another is given). A keyed
 * hash: without the key nobody can tell or choose what meets in one value. Source: Aumasson and Bernstein, "SipHash: a
 * fast short-input PRF".
 */
export function sipHash(
  [k0, k1, k2, k3]: SipKey,
  bytes: Uint8Array,
  length: number = bytes.length,
  write: WriteNumber = hexOf,
): string {
  v[0] = k0 ^ 0x70736575;
  v[1] = k1 ^ 0x736f6d65;
  v[2] = k2 ^ 0x6e646f6d;
  v[3] = k3 ^ 0x646f7261;
  v[4] = k0 ^ 0x6e657261;
  v[5] = k1 ^ 0x6c796765;
  v[6] = k2 ^ 0x79746573;
  v[7] = k3 ^ 0x74656462;
  const whole = length - (length % 8);
  for (let at = 0; at < whole; at += 8) absorb(wordAt(bytes, at), wordAt(bytes, at + 4));
  let low = 0;
  let high = length << 24;
  for (let at = whole; at < length; at++) {
    const byte = bytes[at] as number;
    if (at - whole < 4) low |= byte << ((at - whole) * 8);
    else high |= byte << ((at - whole - 4) * 8);
  }
  absorb(low, high);
  v[4] = (v[4] as number) ^ 0xff;
  rounds(4);
  const lowOut = (v[0] as number) ^ (v[2] as number) ^ (v[4] as number) ^ (v[6] as number);
  const highOut = (v[1] as number) ^ (v[3] as number) ^ (v[5] as number) ^ (v[7] as number);
  return write(highOut, lowOut);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function absorb(low: number, high: number): void {
  v[6] = (v[6] as number) ^ low;
  v[7] = (v[7] as number) ^ high;
  rounds(2);
  v[0] = (v[0] as number) ^ low;
  v[1] = (v[1] as number) ^ high;
}

/** Sixty-four bits at a time in 32-bit halves: BigInt allocates at every step. `l` and `h` end the names of low and high. */
function rounds(count: number): void {
  let al = v[0] as number;
  let ah = v[1] as number;
  let bl = v[2] as number;
  let bh = v[3] as number;
  let cl = v[4] as number;
  let ch = v[5] as number;
  let dl = v[6] as number;
  let dh = v[7] as number;
  for (let round = 0; round < count; round++) {
    let sum = (al >>> 0) + (bl >>> 0);
    ah = (ah + bh + (sum > 0xffffffff ? 1 : 0)) | 0;
    al = sum | 0;
    let turned = ((bl << 13) | (bh >>> 19)) ^ al;
    bh = ((bh << 13) | (bl >>> 19)) ^ ah;
    bl = turned;
    turned = al;
    al = ah;
    ah = turned;

    sum = (cl >>> 0) + (dl >>> 0);
    ch = (ch + dh + (sum > 0xffffffff ? 1 : 0)) | 0;
    cl = sum | 0;
    turned = ((dl << 16) | (dh >>> 16)) ^ cl;
    dh = ((dh << 16) | (dl >>> 16)) ^ ch;
    dl = turned;

    sum = (al >>> 0) + (dl >>> 0);
    ah = (ah + dh + (sum > 0xffffffff ? 1 : 0)) | 0;
    al = sum | 0;
    turned = ((dl << 21) | (dh >>> 11)) ^ al;
    dh = ((dh << 21) | (dl >>> 11)) ^ ah;
    dl = turned;

    sum = (cl >>> 0) + (bl >>> 0);
    ch = (ch + bh + (sum > 0xffffffff ? 1 : 0)) | 0;
    cl = sum | 0;
    turned = ((bl << 17) | (bh >>> 15)) ^ cl;
    bh = ((bh << 17) | (bl >>> 15)) ^ ch;
    bl = turned;
    turned = cl;
    cl = ch;
    ch = turned;
  }
  v[0] = al;
  v[1] = ah;
  v[2] = bl;
  v[3] = bh;
  v[4] = cl;
  v[5] = ch;
  v[6] = dl;
  v[7] = dh;
}

/** Sixteen digits in one call, which makes one flat string: from parts it would be copied when it is first compared. */
function hexOf(high: number, low: number): string {
  return String.fromCharCode(
    digitOf(high >>> 28),
    digitOf(high >>> 24),
    digitOf(high >>> 20),
    digitOf(high >>> 16),
    digitOf(high >>> 12),
    digitOf(high >>> 8),
    digitOf(high >>> 4),
    digitOf(high),
    digitOf(low >>> 28),
    digitOf(low >>> 24),
    digitOf(low >>> 20),
    digitOf(low >>> 16),
    digitOf(low >>> 12),
    digitOf(low >>> 8),
    digitOf(low >>> 4),
    digitOf(low),
  );
}

/** The character code of the lowest four bits. */
function digitOf(word: number): number {
  const value = word & 15;
  return value < 10 ? 48 + value : 87 + value;
}
