import type { VerifyEd25519 } from "./chain/ed25519.ts";

/** WebCrypto's Ed25519, for `chain/`: the same in workerd, Node and browsers. */
export const verifyEd25519: VerifyEd25519 = async ({ publicKey, message, signature }) => {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
};
