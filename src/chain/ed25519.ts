/**
 * Verifies an Ed25519 signature (RFC 8032) of 64 bytes by a public key of 32. Passed in like `Sha256`. It may take its
 * time, for WebCrypto, which every platform has, has no other way. Hashing stays synchronous: a promise for each of
 * millions of hashes would cost more than the hash, and where a runtime has none a plain function does.
 */
export type VerifyEd25519 = (signed: {
  publicKey: Uint8Array;
  message: Uint8Array;
  signature: Uint8Array;
}) => Promise<boolean>;

/** A private key and the platform's way to use it: signs at once, 64 bytes. */
export type Ed25519Signer = { publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array };

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
