import { describe, expect, it } from "vitest";
import { logKeySeed } from "../../../src/chain/note/log-key.ts";
import { ed25519Signer, hkdfSha256 } from "../../../src/ed25519.ts";
import { verifyEd25519 } from "../../../src/verify-ed25519.ts";
import { LOG, OTHER_LOG } from "../support.ts";

const secret = new Uint8Array(32).fill(7);

function seed(part: Partial<Parameters<typeof logKeySeed>[1]> = {}): string {
  return Buffer.from(logKeySeed(hkdfSha256, { secret, origin: LOG, generation: 1, ...part })).toString("hex");
}

describe("the key of a log", () => {
  it("follows from secret, origin and generation, and from each of them", () => {
    expect(seed()).toBe(seed());
    const seeds = [
      seed(),
      seed({ generation: 2 }),
      seed({ origin: OTHER_LOG }),
      seed({ origin: `${LOG}/2` }),
      seed({ secret: new Uint8Array(32).fill(8) }),
    ];
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  it("is not derived from a secret of another length or without a generation", () => {
    expect(() => seed({ secret: secret.subarray(1) })).toThrow("invariant");
    expect(() => seed({ secret: new Uint8Array(0) })).toThrow("invariant");
    for (const generation of [0, -1, 1.5, Number.NaN]) expect(() => seed({ generation })).toThrow("invariant");
  });
});

describe("HKDF-SHA256", () => {
  it("is that of RFC 5869, test case 3, where salt and info are empty", () => {
    const okm = hkdfSha256({ secret: new Uint8Array(22).fill(0x0b), info: new Uint8Array(0) });
    expect(Buffer.from(okm).toString("hex")).toBe("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
  });
});

describe("Ed25519", () => {
  /** RFC 8032 section 7.1, tests 1 and 2. */
  const cases = [
    {
      seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      message: "",
      signature:
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    },
    {
      seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      message: "72",
      signature:
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    },
  ];

  it.each(cases)("signs and verifies as RFC 8032 says: $message", async (example) => {
    const signer = ed25519Signer(Buffer.from(example.seed, "hex"));
    const message = Buffer.from(example.message, "hex");
    expect(Buffer.from(signer.publicKey).toString("hex")).toBe(example.publicKey);
    const signature = signer.sign(message);
    expect(Buffer.from(signature).toString("hex")).toBe(example.signature);
    const { publicKey } = signer;
    expect(await verifyEd25519({ publicKey, message, signature })).toBe(true);
    expect(await verifyEd25519({ publicKey, message: Buffer.from("x"), signature })).toBe(false);
    expect(await verifyEd25519({ publicKey: new Uint8Array(32).fill(1), message, signature })).toBe(false);
    expect(await verifyEd25519({ publicKey, message, signature: signature.toReversed() })).toBe(false);
  });

  it("takes a seed of 32 bytes and no other", () => {
    for (const length of [0, 31, 33, 64]) expect(() => ed25519Signer(new Uint8Array(length))).toThrow("invariant");
  });
});
