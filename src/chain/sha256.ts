/** Synchronous SHA-256: 32 bytes of digest. Passed in, so that `chain/` runs in workerd, Node and browsers alike. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;
