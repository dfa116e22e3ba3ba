import { assert } from "../errors.ts";
import { LEAF_MAX_BYTES, LOG_MAX_ENTRIES } from "../limits.ts";
import { SALT_BYTES } from "./digest.ts";
import { base64url, base64urlOf, utf8 } from "./encoding.ts";
import { entryHash, type Leaf, leafText } from "./leaf.ts";
import type { SectionText } from "./record.ts";
import { bySectionName, commitmentAt } from "./section.ts";
import type { Sha256 } from "./sha256.ts";

export type Sealing = Omit<Leaf, "sections" | "v"> & {
  sections: SectionText[];
  /** 16 random bytes a section, in the order of `sections`; copied before this returns. */
  salts: Uint8Array;
};

/** `prev` is what the next leaf names: the entry hash in base64url. `line` is the record as it is stored. */
export type SealedEntry = { leaf: string; hash: Uint8Array; prev: string; line: string };

type Salted = SectionText & { saltAt: number };

/**
 * Seals section texts at an index of a log. When it returns, the leaf is canonical and at most 12,288 bytes, commits
 * every section once, and the record line opens it. Throws when the caller's values cannot make such a leaf.
 */
export function sealEntry(sha256: Sha256, sealing: Sealing): SealedEntry {
  const { sections, salts, index } = sealing;
  assert(Number.isInteger(index) && index >= 0 && index < LOG_MAX_ENTRIES, "an index is below 2^32");
  assert(salts.length === sections.length * SALT_BYTES, "each section has a salt");
  const sorted = inLeafOrder(sections);

  let commitments = "";
  let opened = "";
  sorted.forEach(({ name, text, saltAt }, n) => {
    assert(n === 0 || sorted[n - 1]?.name !== name, "a section stands once in an entry");
    const comma = n === 0 ? "" : ",";
    commitments += `${comma}"${name}":"${commitmentAt(sha256, { name, salts, saltAt, text })}"`;
    const salt = base64urlOf(salts, { start: saltAt, end: saltAt + SALT_BYTES });
    opened += `${comma}"${name}":{"salt":"${salt}","text":${JSON.stringify(text)}}`;
  });
  const leaf = leafText(sealing, commitments);
  assert(leaf.length * 3 <= LEAF_MAX_BYTES || utf8(leaf).length <= LEAF_MAX_BYTES, "a leaf fits its limit");
  const hash = entryHash(sha256, leaf);
  return { leaf, hash, prev: base64url(hash), line: `{"leaf":${JSON.stringify(leaf)},"sections":{${opened}}}` };
}

function inLeafOrder(sections: SectionText[]): Salted[] {
  return sections.map(({ name, text }, n) => ({ name, text, saltAt: n * SALT_BYTES })).sort(bySectionName);
}
