import { createPrivateKey, createPublicKey, hkdfSync, sign } from "node:crypto";
import type { Ed25519Signer } from "./chain/ed25519.ts";

/** What stands before the 32 bytes of seed in the PKCS #8 form of an Ed25519 key: RFC 8410 section 7. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SEED_BYTES = 32;

/** The runtime's Ed25519 for `chain/`, with the key of a seed of 32 bytes. */
export function ed25519Signer(seed: Uint8Array): Ed25519Signer {
  if (seed.length !== SEED_BYTES) throw new Error(`invariant broken: a seed has ${SEED_BYTES} bytes`);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    publicKey: new Uint8Array(spki.subarray(-SEED_BYTES)),
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}

/** The runtime's HKDF-SHA256 without a salt, 32 bytes, for `chain/`. */
export function hkdfSha256({ secret, info }: { secret: Uint8Array; info: Uint8Array }): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), info, SEED_BYTES));
}
