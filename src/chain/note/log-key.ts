import { assert } from "../../errors.ts";
import { utf8 } from "../encoding.ts";

const SECRET_BYTES = 32;

/** HKDF-SHA256 (RFC 5869) without a salt, 32 bytes. Passed in like `Sha256`. */
export type HkdfSha256 = (input: { secret: Uint8Array; info: Uint8Array }) => Uint8Array;

/**
 * The Ed25519 seed of a log's key: `HKDF-SHA256(secret, no salt, "indelible/log-key/v1" || 0x00 || origin || 0x00 ||
 * generation)`, with the generation in decimal, from 1 on. One secret serves every log, and no log's key tells of
 * another's.
 */
export function logKeySeed(
  hkdf: HkdfSha256,
  { secret, origin, generation }: { secret: Uint8Array; origin: string; generation: number },
): Uint8Array {
  assert(Number.isSafeInteger(generation) && generation >= 1, "generations of a key count from 1");
  assert(secret.length === SECRET_BYTES, "the secret of the log keys has 32 bytes");
  return hkdf({ secret, info: utf8(`indelible/log-key/v1\0${origin}\0${generation}`) });
}
