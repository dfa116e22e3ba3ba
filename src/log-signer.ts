import type { Ed25519Signer } from "./chain/ed25519.ts";
import { logKeySeed } from "./chain/note/log-key.ts";
import { ed25519Signer, hkdfSha256 } from "./ed25519.ts";
import type { Config } from "./env.ts";

/** Another generation is another key under the same name; nothing makes one yet. */
const GENERATION = 1;

/** The key of the log `origin`. Keep it: making one costs more than a signature. */
export function logSigner({ logSigningKey }: Pick<Config, "logSigningKey">, origin: string): Ed25519Signer {
  return ed25519Signer(logKeySeed(hkdfSha256, { secret: logSigningKey, origin, generation: GENERATION }));
}
