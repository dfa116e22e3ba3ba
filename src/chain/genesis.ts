import { utf8 } from "./encoding.ts";
import type { Sha256 } from "./sha256.ts";

/**
 * What `prev` of index 0 names: `SHA-256("indelible/genesis/v1" || 0x00 || origin || 0x00 || P)`. P is empty, or the
 * three-line text of the last checkpoint of the log that this one continues.
 */
export function genesisPrev(
  sha256: Sha256,
  { origin, predecessor = "" }: { origin: string; predecessor?: string },
): Uint8Array {
  return sha256(utf8(`indelible/genesis/v1\0${origin}\0${predecessor}`));
}
