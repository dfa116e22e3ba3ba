import { hash } from "node:crypto";

/** The runtime's synchronous SHA-256, for `chain/`: in one call, which makes no object for a hash that is not streamed. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}
