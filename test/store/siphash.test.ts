import { describe, expect, it } from "vitest";
import { sipHash, sipKeyOf } from "../../src/store/siphash.ts";

/** The reference's own: key 00…0f, inputs of 0, 1, 2 … bytes 00 01 02 …; outputs as bytes, lowest first. */
const REFERENCE = [
  "310e0edd47db6f72",
  "fd67dc93c539f874",
  "5a4fa9d909806c0d",
  "2d7efbd796666785",
  "b7877127e09427cf",
  "8da699cd64557618",
  "cee3fe586e46c9cb",
  "37d1018bf50002ab",
  "6224939a79f5f593",
  "b0e4a90bdf82009e",
  "f3b9dd94c5bb5d7a",
  "a7ad6b22462fb3f4",
  "fbe50e86bc8f1e75",
  "903d84c02756ea14",
  "eef27a8e90ca23f7",
  "e545be4961ca29a1",
];

const KEY = sipKeyOf(Uint8Array.from({ length: 16 }, (_, n) => n));

/** The same function again, written from the paper with 64-bit integers. */
function plainSipHash(key: Uint8Array, bytes: Uint8Array): string {
  const mask = 0xffffffffffffffffn;
  const word = (from: Uint8Array, at: number) => {
    let value = 0n;
    for (let n = 0; n < 8; n++) value |= BigInt(from[at + n] ?? 0) << BigInt(8 * n);
    return value;
  };
  const turn = (value: bigint, by: bigint) => ((value << by) | (value >> (64n - by))) & mask;
  const [k0, k1] = [word(key, 0), word(key, 8)];
  let [a, b, c, d] = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ];
  const round = () => {
    a = (a + b) & mask;
    b = turn(b, 13n) ^ a;
    a = turn(a, 32n);
    c = (c + d) & mask;
    d = turn(d, 16n) ^ c;
    a = (a + d) & mask;
    d = turn(d, 21n) ^ a;
    c = (c + b) & mask;
    b = turn(b, 17n) ^ c;
    c = turn(c, 32n);
  };
  const padded = new Uint8Array(Math.floor(bytes.length / 8) * 8 + 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length & 0xff;
  for (let at = 0; at < padded.length; at += 8) {
    const block = word(padded, at);
    d ^= block;
    round();
    round();
    a ^= block;
  }
  c ^= 0xffn;
  for (let n = 0; n < 4; n++) round();
  return (a ^ b ^ c ^ d).toString(16).padStart(16, "0");
}

describe("sipHash", () => {
  it.each(REFERENCE.map((output, length) => ({ output, length })))(
    "gives the reference's output for $length bytes",
    ({ output, length }) => {
      const bytes = Uint8Array.from({ length }, (_, n) => n);
      expect(Buffer.from(sipHash(KEY, bytes), "hex").reverse().toString("hex")).toBe(output);
    },
  );

  it("agrees with the paper's arithmetic on 2,000 random keys and inputs of up to 300 bytes", () => {
    for (let n = 0; n < 2_000; n++) {
      const key = crypto.getRandomValues(new Uint8Array(16));
      const bytes = crypto.getRandomValues(new Uint8Array(n % 301));
      expect(sipHash(sipKeyOf(key), bytes)).toBe(plainSipHash(key, bytes));
    }
  });

  it("hashes only as many bytes as it is told to", () => {
    const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(sipHash(KEY, bytes, 9)).toBe(sipHash(KEY, bytes.slice(0, 9)));
    expect(sipHash(KEY, bytes, 9)).not.toBe(sipHash(KEY, bytes));
  });
});
