import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wordsOf, wordsOfSource } from "../../src/store/words.ts";

describe("wordsOf", () => {
  it.each([
    ["", []],
    [" \t.,;!?", []],
    ["Quarterly review", ["quarterly", "review"]],
    ["don't foo-bar a_b", ["don", "t", "foo", "bar", "a", "b"]],
    ["v1.10 -0 1e400 9007199254740993", ["v1", "10", "0", "1e400", "9007199254740993"]],
    ['"a" AND (b OR c) NEAR/2 *', ["a", "and", "b", "or", "c", "near", "2"]],
    ["Grüße aus STRASSE straße", ["grüße", "aus", "strasse", "straße"]],
    ["ＦＵＬＬ ｗｉｄｔｈ ﬁne", ["full", "width", "fine"]],
    ["e\u0301te\u0301", ["été"]],
    ["H\u0331ello", ["\u1e96ello"]],
    ["Ωμέγα привет", ["ωμέγα", "привет"]],
    ["हिन्दी", ["हिन्दी"]],
    ["İstanbul", ["i\u0307stanbul"]],
    ["監査ログ", ["監査", "査ロ", "ログ"]],
    ["東", ["東"]],
    ["한국어 로그", ["한국", "국어", "로그"]],
    ["ＡＢＣ監査2026", ["abc", "監査", "2026"]],
    ["𠮷野家", ["𠮷野", "野家"]],
    ["a\ud800b", ["a", "b"]],
    ["nul\0byte", ["nul", "byte"]],
    ["\ue001deadbeef", ["deadbeef"]],
    ["👍ok", ["ok"]],
  ])("cuts %j", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it("cuts a word after 64 characters and never through one", () => {
    expect(wordsOf("x".repeat(1_000))).toEqual(["x".repeat(64)]);
    expect(wordsOf(`${"x".repeat(63)}𝒜𐐨`)).toEqual([`${"x".repeat(63)}a`]);
    expect(wordsOf(`${"x".repeat(63)}𐐨`)).toEqual(["x".repeat(63)]);
  });

  it("finds in a query what it put into the index: words of words are the same words", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        for (const word of wordsOf(text)) expect(wordsOf(word)).toEqual([word]);
      }),
      { numRuns: 500 },
    );
  });

  it("holds nothing but letters, digits and marks", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const word of wordsOf(text)) expect(word).toMatch(/^[\p{L}\p{N}\p{M}]{1,64}$/u);
      }),
    );
  });
});

describe("wordsOfSource", () => {
  it("reads escapes, and leaves numbers as they are written", () => {
    const source = String.raw`{"na\u006de":"caf\u00e9\nnext\ttab","n":12345678901234567890,"path":"C:\\new","q":"\"x\""}`;
    expect(wordsOfSource(source)).toEqual([
      ...["name", "café", "next", "tab", "n", "12345678901234567890", "path", "c", "new", "q", "x"],
    ]);
  });

  it("joins escaped surrogates and drops a lone one", () => {
    expect(wordsOfSource(String.raw`"\ud842\udfb7\u91ce a\ud800b"`)).toEqual(["𠮷野", "a", "b"]);
  });

  it("finds the words of every string in a JSON text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(wordsOfSource(JSON.stringify(text))).toEqual(wordsOf(text));
      }),
    );
  });
});
