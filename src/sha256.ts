import { createHash } from "node:crypto";

/** The runtime's synchronous SHA-256, for `chain/`. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}
