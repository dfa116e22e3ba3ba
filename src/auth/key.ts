import { createHmac } from "node:crypto";
import { sha256 } from "../sha256.ts";
import { equal } from "../equal.ts";

const KEY_PATTERN = /^(ind_([op])[a-z2-7]{12})_[A-Za-z0-9_-]{43}([A-Za-z0-9_-]{6})$/;

/** A well-formed key: its id is public. */
export type ParsedKey = { kind: "org" | "platform"; id: string };

/**
 * The text of a key: `ind_<o|p><12 base32>_<32 bytes, base64url><6 characters of HMAC>`. The HMAC lets junk be refused
 * with no store touched.
 */
export function keyText(pepper: string, id: string, secret: Uint8Array): string {
  const body = `${id}_${Buffer.from(secret).toString("base64url")}`;
  return body + checkOf(pepper, body);
}

/** Reads a key; null when it is not one of ours by shape or by HMAC. */
export function parseKey(pepper: string, text: string): ParsedKey | null {
  const match = KEY_PATTERN.exec(text);
  if (match === null) return null;
  const [, id = "", kind, check = ""] = match;
  if (!equal(check, checkOf(pepper, text.slice(0, -6)))) return null;
  return { kind: kind === "o" ? "org" : "platform", id };
}

/** What stores keep of a key: SHA-256 of the whole, in hexadecimal digits. */
export function keyHash(text: string): string {
  return Buffer.from(sha256(Buffer.from(text))).toString("hex");
}

function checkOf(pepper: string, body: string): string {
  return createHmac("sha256", pepper).update(body).digest("base64url").slice(0, 6);
}
