const BLOCK_BYTES = 64;
const ROUNDS = 64;

/** FIPS 180-4 section 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const CONSTANTS = fractions(Math.cbrt, ROUNDS);
/** Section 5.3.3: the same of the square roots of the first 8. */
const START = fractions(Math.sqrt, 8);

const schedule = new Int32Array(ROUNDS);
const state = new Int32Array(8);
const tail = new Uint8Array(2 * BLOCK_BYTES);

/**
 * SHA-256 (FIPS 180-4) in plain code, for where the runtime has none that answers at once, which is the browser, and
 * for short inputs where the runtime's costs more to call than to compute.
 */
export function portableSha256(bytes: Uint8Array): Uint8Array {
  state.set(START);
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) compress(bytes, at);
  // What is left, a bit, zeros and the length in bits: one block, or two when the length does not fit into the first.
  const rest = bytes.length - whole;
  const end = rest + 9 <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  tail.fill(0);
  for (let at = 0; at < rest; at++) tail[at] = bytes[whole + at] as number;
  tail[rest] = 0x80;
  writeWord(tail, end - 8, Math.floor(bytes.length / 2 ** 29));
  writeWord(tail, end - 4, bytes.length << 3);
  for (let at = 0; at < end; at += BLOCK_BYTES) compress(tail, at);
  const digest = new Uint8Array(32);
  for (let word = 0; word < 8; word++) writeWord(digest, word * 4, state[word] as number);
  return digest;
}

/** Section 6.2.2, over the block at `start`. */
function compress(bytes: Uint8Array, start: number): void {
  const w = schedule;
  for (let t = 0; t < 16; t++) {
    const at = start + t * 4;
    w[t] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  }
  for (let t = 16; t < ROUNDS; t++) {
    const x = w[t - 15] as number;
    const y = w[t - 2] as number;
    const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[t] = (small1 + (w[t - 7] as number) + small0 + (w[t - 16] as number)) | 0;
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let t = 0; t < ROUNDS; t++) {
    const large1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const large0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const first = (h + large1 + ((e & f) ^ (~e & g)) + (CONSTANTS[t] as number) + (w[t] as number)) | 0;
    const second = (large0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

function fractions(root: (value: number) => number, count: number): Int32Array {
  const words = new Int32Array(count);
  for (let prime = 2, n = 0; n < count; prime++) {
    if (!isPrime(prime)) continue;
    // A double holds the integer part and well over 32 bits behind it.
    words[n++] = ((root(prime) % 1) * 2 ** 32) | 0;
  }
  return words;
}

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return true;
}
