import type { EntryRecord } from "../../src/chain/record.ts";

/** Byte strings SHA-256 is taken of for one entry. */
export type Hashed = Uint8Array[];

/** What verifying an entry hashes: each section with its name and salt, and the leaf. */
export function hashedOf(line: string): Hashed {
  const { leaf, sections } = JSON.parse(line) as EntryRecord;
  const names = Object.keys(sections).map(
    (name) => `indelible/section/v1\0${name}\0${"s".repeat(16)}${sections[name]?.text}`,
  );
  return [...names, `\0${leaf}`].map((text) => new TextEncoder().encode(text));
}
