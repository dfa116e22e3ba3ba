import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBundle } from "../../../src/chain/proof/read-bundle.ts";
import { entryBundle } from "../../../src/chain/tree/entry-bundle.ts";

describe("an entry bundle", () => {
  it("is each leaf after its length, and reads back as it was written", () => {
    expect([...entryBundle(["ab", "é", ""])]).toEqual([0, 2, 97, 98, 0, 2, 0xc3, 0xa9, 0, 0]);
    const leaves = fc.array(fc.string({ maxLength: 400, unit: "grapheme" }), { maxLength: 256 });
    fc.assert(
      fc.property(leaves, (texts) => {
        expect(readBundle(entryBundle(texts), texts.length)).toEqual(texts);
        expect(readBundle(entryBundle(texts), texts.length + 1)).toBeNull();
        if (texts.length > 0) expect(readBundle(entryBundle(texts), texts.length - 1)).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  it("holds the largest leaf, and no larger one, and not more than a tile has", () => {
    const largest = "x".repeat(12_288);
    expect(readBundle(entryBundle([largest, "a"]), 2)).toEqual([largest, "a"]);
    expect(() => entryBundle([`${largest}x`])).toThrow("invariant");
    expect(() => entryBundle(Array.from({ length: 257 }, () => "a"))).toThrow("invariant");
  });

  it("cut short at any byte is none", () => {
    const bytes = entryBundle(["one", "two", "three"]);
    for (let end = 0; end < bytes.length; end++) expect(readBundle(bytes.subarray(0, end), 3)).toBeNull();
    expect(readBundle(Buffer.concat([bytes, Buffer.of(0)]), 3)).toBeNull();
  });

  it("has null where an entry is not UTF-8, and keeps a byte order mark", () => {
    expect(readBundle(Uint8Array.of(0, 1, 0xff, 0, 1, 97), 2)).toEqual([null, "a"]);
    expect(readBundle(Uint8Array.of(0, 3, 0xef, 0xbb, 0xbf), 1)).toEqual(["\ufeff"]);
  });
});
