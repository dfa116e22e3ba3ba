import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeLeaf, entryHash, type Leaf, parseLeaf } from "../../src/chain/leaf.ts";
import { HASH, LOG, sha256 } from "./support.ts";

const leaf: Leaf = {
  category: "config_change",
  index: 41,
  keep_until: "2033-11-19",
  log: LOG,
  prev: HASH,
  sections: { actor: HASH, event: HASH, "target/0": HASH, "target/10": HASH, "target/2": HASH },
  sequenced_at: "2026-11-21T18:00:00.123Z",
  source: "client",
  v: 1,
};
const text = encodeLeaf(leaf);

function kind(candidate: string): string {
  return parseLeaf(candidate).kind;
}

describe("a leaf", () => {
  it("is written with members sorted by code units, each once, without white space", () => {
    expect(text).toBe(
      `{"category":"config_change","index":41,"keep_until":"2033-11-19","log":"${LOG}","prev":"${HASH}","sections":{"actor":"${HASH}",` +
        `"event":"${HASH}","target/0":"${HASH}","target/10":"${HASH}","target/2":"${HASH}"},"sequenced_at":"2026-11-21T18:00:00.123Z","source":"client","v":1}`,
    );
    const shuffled = { ...leaf, sections: Object.fromEntries(Object.entries(leaf.sections).reverse()) };
    expect(encodeLeaf(shuffled)).toBe(text);
  });

  it("reads back as it was written", () => {
    expect(parseLeaf(text)).toEqual({
      kind: "leaf",
      leaf: { ...leaf, sections: Object.assign(Object.create(null), leaf.sections) },
    });
  });

  it.each<Partial<Leaf>>([
    { index: 0 },
    { index: 2 ** 32 - 1 },
    { keep_until: "forever" },
    { keep_until: "2028-02-29" },
    { source: "service" },
    { sections: { event: HASH } },
    { log: "x" },
    { log: "é.example/acme" },
    { log: "x".repeat(255) },
    { category: "a" },
  ])("may be %j", (part) => {
    expect(kind(encodeLeaf({ ...leaf, ...part }))).toBe("leaf");
  });

  it.each<[string, Record<string, unknown>]>([
    ["an index below 0", { index: -1 }],
    ["an index of 2^32", { index: 2 ** 32 }],
    ["an index that is no integer", { index: 1.5 }],
    ["an index as text", { index: "41" }],
    ["no index", { index: undefined }],
    ["a category that is no label", { category: "Config Change" }],
    ["an empty category", { category: "" }],
    ["a category as number", { category: 1 }],
    ["a day that is none", { keep_until: "2033-02-30" }],
    ["a short day", { keep_until: "2033-2-3" }],
    ["a time to keep until", { keep_until: "2033-11-19T00:00:00.000Z" }],
    ["Forever", { keep_until: "Forever" }],
    ["an empty log", { log: "" }],
    ["a log with a space", { log: "a b" }],
    ["a log with a wide space", { log: "a\u3000b" }],
    ["a log with a plus", { log: "a+b" }],
    ["a log with NUL", { log: "a\0b" }],
    ["a log with a lone surrogate", { log: "a\ud800" }],
    ["a log of 256 bytes", { log: "x".repeat(256) }],
    ["a log of 256 bytes in 128 characters", { log: "é".repeat(128) }],
    ["a short prev", { prev: HASH.slice(1) }],
    ["a prev with unused bits", { prev: `${HASH.slice(0, 42)}h` }],
    ["a prev in base64", { prev: HASH.replace("_", "/") }],
    ["a prev with padding", { prev: `${HASH}=` }],
    ["no prev", { prev: null }],
    ["no sections", { sections: undefined }],
    ["sections as array", { sections: [] }],
    ["sections without event", { sections: { actor: HASH } }],
    ["a section of another name", { sections: { event: HASH, "target/50": HASH } }],
    ["a short commitment", { sections: { event: HASH.slice(1) } }],
    ["a commitment as number", { sections: { event: 1 } }],
    ["a time without milliseconds", { sequenced_at: "2026-11-21T18:00:00Z" }],
    ["a time with microseconds", { sequenced_at: "2026-11-21T18:00:00.123456Z" }],
    ["a time of another zone", { sequenced_at: "2026-11-21T18:00:00.123+00:00" }],
    ["a lower-case time", { sequenced_at: "2026-11-21t18:00:00.123z" }],
    ["24 o'clock", { sequenced_at: "2026-11-21T24:00:00.000Z" }],
    ["30 February", { sequenced_at: "2026-02-30T18:00:00.123Z" }],
    ["another source", { source: "Client" }],
    ["version 0", { v: 0 }],
    ["version -1", { v: -1 }],
    ["version 1.5", { v: 1.5 }],
    ["a version as text", { v: "1" }],
    ["one more member", { x: 1 }],
    ["__proto__", JSON.parse('{"__proto__":1}') as Record<string, unknown>],
  ])("is malformed with %s", (_, part) => {
    const members = Object.entries({ ...leaf, ...part }).sort(([a], [b]) => (a < b ? -1 : 1));
    expect(kind(JSON.stringify(Object.fromEntries(members)))).toBe("malformed");
  });

  it.each([
    ["white space", text.replace(",", ", ")],
    ["white space around", ` ${text}`],
    ["a line end", `${text}\n`],
    ["another order", text.replace('"category":"config_change","index":41', '"index":41,"category":"config_change"')],
    [
      "another order of sections",
      text.replace(`"target/10":"${HASH}","target/2":"${HASH}"`, `"target/2":"${HASH}","target/10":"${HASH}"`),
    ],
    ["a member twice", text.replace('"index":41', '"index":41,"index":41')],
    ["a section twice", text.replace('"sections":{', `"sections":{"actor":"${HASH}",`)],
    ["an escape that is not needed", text.replace("acme", "\\u0061cme")],
    ["an escaped slash", text.replace("/v1", "\\/v1")],
    ["an escaped name", text.replace('"index"', '"\\u0069ndex"')],
    ["41.0", text.replace("41", "41.0")],
    ["4.1e1", text.replace("41", "4.1e1")],
    ["-0", text.replace("41", "-0")],
    ["version 1.0", text.replace('"v":1', '"v":1.0')],
    ["nothing", ""],
    ["null", "null"],
    ["an array", "[]"],
    ["another leaf after it", text + text],
    ["its end cut off", text.slice(0, -1)],
  ])("is malformed with %s", (_, candidate) => {
    expect(kind(candidate)).toBe("malformed");
  });

  it("is malformed, or another leaf, whichever byte of it is changed", () => {
    for (let at = 0; at < text.length; at++) {
      for (const other of ["x", "0", " ", '"', "\\", "A"]) {
        if (text[at] === other) continue;
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        const parsed = parseLeaf(changed);
        if (parsed.kind === "leaf") expect(encodeLeaf(parsed.leaf)).toBe(changed);
        expect(changed).not.toBe(text);
      }
    }
  });

  it("is never read from a text that it would not be written as", () => {
    const edit = fc.record({ at: fc.nat(text.length), drop: fc.nat(3), add: fc.string({ maxLength: 3 }) });
    fc.assert(
      fc.property(edit, ({ at, drop, add }) => {
        const changed = text.slice(0, at) + add + text.slice(at + drop);
        const parsed = parseLeaf(changed);
        if (parsed.kind === "leaf") expect(encodeLeaf(parsed.leaf)).toBe(changed);
      }),
      { numRuns: 2_000 },
    );
  });

  it("holds 105 sections and a log of 255 bytes, and no more than 12,288 bytes", () => {
    const names = [
      "event",
      "note",
      "actor",
      "actor/detail",
      "on_behalf_of",
      "on_behalf_of/detail",
      "context",
      "changes",
      "metadata",
    ];
    for (let n = 0; n < 50; n++) names.push(`target/${n}`, `target/${n}/detail`);
    const sections = Object.fromEntries(names.map((name) => [name, HASH]));
    const largest = encodeLeaf({ ...leaf, log: "é".repeat(127), sections });
    expect(Buffer.byteLength(largest)).toBeLessThan(12_288);
    expect(kind(largest)).toBe("leaf");
    expect(kind(`${text.slice(0, -1)},"x":"${"x".repeat(12_288)}"}`)).toBe("malformed");
  });

  it("of a later version is left to who knows it", () => {
    expect(parseLeaf('{"v":2,"anything":[1]}')).toEqual({ kind: "unknown_version", version: 2 });
    expect(kind('{"v":9007199254740993}')).toBe("malformed");
  });
});

describe("the entry hash", () => {
  it("is the RFC 6962 leaf hash of the text", () => {
    const expected = sha256(Buffer.concat([Buffer.of(0), Buffer.from(text)]));
    expect(Buffer.from(entryHash(sha256, text))).toEqual(Buffer.from(expected));
    expect(Buffer.from(entryHash(sha256, ""))).toEqual(Buffer.from(sha256(Buffer.of(0))));
  });
});
