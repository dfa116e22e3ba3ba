import { EVENT_MAX_TARGETS } from "../limits.ts";
import { digest, SALT_BYTES } from "./digest.ts";
import { base64url, fromBase64url, utf8 } from "./encoding.ts";
import type { Sha256 } from "./sha256.ts";

const PLAIN_NAMES = ["event", "note", "actor", "actor/detail", "on_behalf_of", "on_behalf_of/detail"];
const TARGET_NAMES = Array.from({ length: EVENT_MAX_TARGETS }, (_, n) => [`target/${n}`, `target/${n}/detail`]).flat();

/** Every section name there is, each with what its commitment hashes before the salt. */
const HEADS: ReadonlyMap<string, Uint8Array> = new Map(
  [...PLAIN_NAMES, ...TARGET_NAMES, "context", "changes", "metadata"].map((name) => [
    name,
    utf8(`indelible/section/v1\0${name}\0`),
  ]),
);

/** Their names, in an order that stays: a place in it can stand for the name. */
export const SECTION_NAMES: readonly string[] = [...HEADS.keys()];

/** Whether this names a section: `target/N` counts from 0 to 49, in canonical decimal. */
export function isSectionName(name: string): boolean {
  return HEADS.has(name);
}

/** Whether a section holds personal data: it is withheld from readers without `personal:read`. */
export function isPersonalSection(name: string): boolean {
  return name === "context" || name.endsWith("/detail");
}

/** Where section names stand in a leaf and a record: sorted by UTF-16 code units. */
export function bySectionName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/**
 * `SHA-256("indelible/section/v1" || 0x00 || name || 0x00 || salt || text)` in base64url. The salt is 16 bytes, or the
 * 22 characters of base64url a record holds. Throws for a name or a salt that is none.
 */
export function commitment(
  sha256: Sha256,
  { name, salt, text }: { name: string; salt: Uint8Array | string; text: string },
): string {
  const bytes = typeof salt === "string" ? fromBase64url(salt) : salt;
  if (bytes?.length !== SALT_BYTES) throw new Error(`invariant broken: the salt of ${name} is ${SALT_BYTES} bytes`);
  return commitmentAt(sha256, { name, salts: bytes, saltAt: 0, text });
}

/** Like `commitment`, with the salt lying at `saltAt` among others. */
export function commitmentAt(
  sha256: Sha256,
  { name, salts, saltAt, text }: { name: string; salts: Uint8Array; saltAt: number; text: string },
): string {
  const head = HEADS.get(name);
  if (head === undefined) throw new Error(`invariant broken: ${JSON.stringify(name)} names a section`);
  return base64url(digest(sha256, { head, salt: salts, saltAt, text }));
}
