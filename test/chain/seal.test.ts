import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base64url } from "../../src/chain/encoding.ts";
import { genesisPrev } from "../../src/chain/genesis.ts";
import { entryHash, parseLeaf } from "../../src/chain/leaf.ts";
import { parseRecord } from "../../src/chain/open.ts";
import { leafOf } from "../../src/chain/record.ts";
import { commitment } from "../../src/chain/section.ts";
import { type Sealing, sealEntry } from "../../src/chain/seal.ts";
import { HASH, LOG, saltsFor, sha256 } from "./support.ts";

const base: Omit<Sealing, "sections" | "salts"> = {
  log: LOG,
  index: 3,
  prev: HASH,
  category: "general",
  keep_until: "forever",
  sequenced_at: "2026-11-21T18:00:00.123Z",
  source: "client",
};
const names = ["event", "target/2", "target/10", "note", "actor/detail", "actor", "metadata"];

function seal(sections: { name: string; text: string }[], part: Partial<Sealing> = {}) {
  return sealEntry(sha256, { ...base, sections, salts: saltsFor("seal", sections.length), ...part });
}

describe("sealing", () => {
  it("makes a canonical leaf, its hash, and a record that opens it, whatever the texts", () => {
    const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 200 }), {
      minLength: names.length,
      maxLength: names.length,
    });
    fc.assert(
      fc.property(texts, fc.nat(), (written, turn) => {
        const sections = names.map((_, n) => ({ name: names[(n + turn) % names.length]!, text: written[n]! }));
        const sealed = seal(sections);
        const parsed = parseLeaf(sealed.leaf);
        const record = parseRecord(sealed.line);
        if (parsed.kind !== "leaf" || record === null) throw new Error("not sealed");
        expect(record.leaf).toBe(sealed.leaf);
        expect(leafOf(sealed.line)).toBe(sealed.leaf);
        expect(sealed.prev).toBe(base64url(entryHash(sha256, sealed.leaf)));
        expect(base64url(sealed.hash)).toBe(sealed.prev);
        expect(Object.keys(record.sections)).toEqual([...names].sort());
        for (const { name, text } of sections) {
          const section = record.sections[name]!;
          expect(section.text).toBe(text);
          expect(commitment(sha256, { name, ...section })).toBe(parsed.leaf.sections[name]);
        }
      }),
    );
  });

  it("writes the record as JSON.stringify would, in leaf order", () => {
    const { line } = seal(names.map((name) => ({ name, text: '{"a":"\\u0000 \\" é 🦊"}' })));
    expect(JSON.stringify(JSON.parse(line))).toBe(line);
  });

  it("uses each salt for the section it was given with", () => {
    const salts = saltsFor("order", 2);
    const { line } = seal(
      [
        { name: "note", text: "{}" },
        { name: "event", text: "{}" },
      ],
      { salts },
    );
    const record = parseRecord(line);
    expect(record?.sections["note"]?.salt).toBe(base64url(salts.subarray(0, 16)));
    expect(record?.sections["event"]?.salt).toBe(base64url(salts.subarray(16)));
  });

  it("keeps nothing of the caller's salts", () => {
    const salts = saltsFor("kept", 1);
    const { line } = seal([{ name: "event", text: "{}" }], { salts });
    salts.fill(0);
    expect(line).toBe(seal([{ name: "event", text: "{}" }], { salts: saltsFor("kept", 1) }).line);
  });

  it.each<[string, Partial<Sealing>]>([
    [
      "a section twice",
      {
        sections: [
          { name: "event", text: "1" },
          { name: "event", text: "2" },
        ],
        salts: new Uint8Array(32),
      },
    ],
    ["a name that is none", { sections: [{ name: "Event", text: "1" }] }],
    ["too few salts", { salts: new Uint8Array(15) }],
    ["too many salts", { salts: new Uint8Array(32) }],
    ["an index of 2^32", { index: 2 ** 32 }],
    ["an index below 0", { index: -1 }],
    ["a leaf of more than 12,288 bytes", { log: "x".repeat(12_288) }],
  ])("throws for %s", (_, part) => {
    expect(() => seal([{ name: "event", text: "{}" }], part)).toThrow("invariant broken");
  });
});

describe("the genesis", () => {
  it("binds the origin and the predecessor's last checkpoint", () => {
    const plain = sha256(Buffer.from(`indelible/genesis/v1\0${LOG}\0`));
    expect(Buffer.from(genesisPrev(sha256, { origin: LOG }))).toEqual(Buffer.from(plain));
    const predecessor = `${LOG}\n7\n${"A".repeat(43)}=\n`;
    const continued = sha256(Buffer.from(`indelible/genesis/v1\0${LOG}/2\0${predecessor}`));
    expect(Buffer.from(genesisPrev(sha256, { origin: `${LOG}/2`, predecessor }))).toEqual(Buffer.from(continued));
  });
});
