import { createHash } from "node:crypto";
import { portableSha256 } from "./chain/portable-sha256.ts";

/** Up to here plain code is faster: calling the runtime's hash costs about 4 µs whatever its input, three times what a commitment does. */
const PORTABLE_MAX_BYTES = 448;

/** Synchronous SHA-256 for `chain/`. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return bytes.length > PORTABLE_MAX_BYTES ? createHash("sha256").update(bytes).digest() : portableSha256(bytes);
}
