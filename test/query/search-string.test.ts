import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEARCH_STRING_MAX_CHARACTERS, SEARCH_STRING_MAX_TERMS, SEARCH_STRING_MAX_WORDS } from "../../src/limits.ts";
import { parseSearchString, spellTerm } from "../../src/query/search-string.ts";
import { wordsOf } from "../../src/store/words.ts";

const clause = (field: string, value: string, exclude = false) => ({ field, values: [value], exclude });
const words = (value: string, exclude = false) => clause("words", value, exclude);

function clausesOf(string: string): unknown[] {
  const parsed = parseSearchString(string);
  if (!parsed.ok) throw new Error(parsed.refusal.detail);
  return parsed.value.clauses;
}

function faultOf(string: string): string {
  const parsed = parseSearchString(string);
  if (parsed.ok) throw new Error(`${string} is taken`);
  const { code, errors = [] } = parsed.refusal;
  expect([code, errors.length, errors[0]?.pointer]).toEqual(["invalid_request", 1, "/q"]);
  return errors[0]?.message ?? "";
}

describe("a search string", () => {
  it.each([
    ["actor:u_17", [clause("actor", "u_17")]],
    ["-result:success", [clause("result", "success", true)]],
    ['"exact words"', [words("exact words")]],
    ["word -word", [words("word"), words("word", true)]],
    ['-"not these"', [words("not these", true)]],
    ['target:"a b"', [clause("target", "a b")]],
    [String.raw`actor:"a \"b\" \\ \c"`, [clause("actor", String.raw`a "b" \ \c`)]],
    ["target:urn:x:1", [clause("target", "urn:x:1")]],
    ["from:2026-01-01T00:00:00Z", [{ field: "from", at: Date.UTC(2026, 0, 1) }]],
    ["foo-bar", [words("foo bar")]],
    ["Ｆｏｏ", [words("foo")]],
    ["東京都", [words("東京 京都")]],
    ["\u3000a\tb\n", [words("a"), words("b")]],
    ["actor:a actor:b", [clause("actor", "a"), clause("actor", "b")]],
    ['"actor:u_17"', [words("actor u 17")]],
    ["-action:user.*", [clause("action", "user.*", true)]],
    ["actor:-a", [clause("actor", "-a")]],
    ["a-b -c--d", [words("a b"), words("c d", true)]],
  ])("%j is read", (string, clauses) => {
    expect(clausesOf(string)).toEqual(clauses);
  });

  it.each([
    ["foo:bar", 1, /"foo" is not a field \(actor, .*quotes/],
    ["word sort:asc", 6, /"sort" is not a field/],
    ["limit:1", 1, /"limit"/],
    ["Actor:x", 1, /"Actor" is not a field/],
    ["-foo:bar", 2, /"foo"/],
    [":x", 1, /no field before this colon/],
    ["http://x", 1, /quotes/],
    ["12:30", 1, /quotes/],
    ["__proto__:x", 1, /not a field/],
    ["toString:x", 1, /not a field/],
    ["words:x", 1, /not a field/],
    ["id:x", 1, /not a field/],
    ["about:x", 1, /not a field/],
    ["actor:", 7, /actor must not be empty/],
    ["actor: x", 7, /must not be empty/],
    ['actor:""', 7, /must not be empty/],
    ["a result:ok", 10, /result .*success/],
    ["category:other", 10, /category .*log_access/],
    ["source:us", 8, /source/],
    ["action:a..b", 8, /action must be/],
    ["from:yesterday", 6, /from must be an RFC 3339/],
    ["to:", 4, /to must be an RFC 3339/],
    ["-from:2026-01-01T00:00:00Z", 2, /cannot be excluded/],
    ["-to:x", 2, /cannot be excluded/],
    ['a "b', 3, /not closed/],
    ['"', 1, /not closed/],
    [String.raw`"a\"`, 1, /not closed/],
    ['actor:"a', 7, /not closed/],
    ['"a"b', 4, /space must follow/],
    ['actor:"a"b', 10, /space must follow/],
    ['"a""b"', 4, /space must follow/],
    ['a"b"', 2, /quote can only open/],
    ['actor:a"b', 8, /quote can only open/],
    ["-", 1, /right before what it excludes/],
    ["a - b", 3, /right before/],
    ["--a", 1, /right before/],
    ["!!!", 1, /no letter or digit/],
    ['"!!!"', 1, /no letter or digit/],
    ["a -!", 4, /no letter or digit/],
    ["👍 b", 1, /no letter or digit/],
    ["👍🏽a 🦊🦊🦊x b:c", 10, /"b"/],
    ["é e\u0301 x:y", 6, /"x"/],
    [`${"x".repeat(100)}:y`, 1, /"x{40}…" is not a field/],
  ])("%j is refused at character %i", (string, at, says) => {
    const message = faultOf(string);
    expect(message).toMatch(new RegExp(`^at character ${at}: `));
    expect(message).toMatch(says);
  });

  it.each(["", " ", "\t\n\u3000"])("%j is refused: it asks for nothing", (string) => {
    expect(faultOf(string)).toMatch(/must not be empty/);
  });

  it("is bounded in characters, terms and words", () => {
    const many = (count: number, separator: string) => Array.from({ length: count }, (_, n) => `w${n}`).join(separator);
    expect(clausesOf(many(SEARCH_STRING_MAX_TERMS, " "))).toHaveLength(SEARCH_STRING_MAX_TERMS);
    expect(faultOf(many(SEARCH_STRING_MAX_TERMS + 1, " "))).toContain(`at most ${SEARCH_STRING_MAX_TERMS} terms`);
    expect(clausesOf(many(SEARCH_STRING_MAX_WORDS, "."))).toHaveLength(1);
    expect(faultOf(many(SEARCH_STRING_MAX_WORDS + 1, "."))).toContain(`at most ${SEARCH_STRING_MAX_WORDS} words`);
    expect(clausesOf("🦊".repeat(SEARCH_STRING_MAX_CHARACTERS - 1) + "x")).toEqual([words("x")]);
    expect(faultOf("🦊".repeat(SEARCH_STRING_MAX_CHARACTERS) + "x")).toContain("at most 1000 characters");
    expect(faultOf("x".repeat(10 ** 7))).toContain("at most 1000 characters");
  });

  it("cuts long words as the index does", () => {
    expect(clausesOf("x".repeat(100))).toEqual([words("x".repeat(64))]);
  });

  it("has one spelling for one question", () => {
    const textOf = (string: string) => {
      const parsed = parseSearchString(string);
      return parsed.ok ? parsed.value.text : null;
    };
    expect(textOf('b  actor:"x" -a')).toBe('"b" -"a" actor:"x"');
    expect(textOf("-a actor:x b b")).toBe(textOf('b  actor:"x" -a'));
    expect(textOf("a")).not.toBe(textOf("-a"));
    expect(textOf("actor:a")).not.toBe(textOf('"actor:a"'));
  });

  const value = fc.string({ unit: "binary", minLength: 1, maxLength: 30 }).filter((text) => text.isWellFormed());
  const term = fc.record({
    field: fc.constantFrom(null, "actor", "target", "on_behalf_of", "session_id"),
    value,
    exclude: fc.boolean(),
  });

  it("says what any terms say, whatever their values hold", () => {
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 6 }), (terms) => {
        fc.pre(terms.every(({ field, value: text }) => field !== null || wordsOf(text).length > 0));
        const expected = terms.map(({ field, value: text, exclude }) =>
          field === null ? words(wordsOf(text).join(" "), exclude) : clause(field, text, exclude),
        );
        expect(clausesOf(terms.map(spellTerm).join(" "))).toEqual(expected);
      }),
    );
  });

  it("is read or refused with a position in it, whatever it is", () => {
    const piece = fc.constantFrom(
      '"',
      "\\",
      ":",
      "-",
      " ",
      "actor:",
      "from:",
      "a",
      "é",
      "🦊",
      "\0",
      "\u202e",
      "*",
      "x.y",
    );
    const string = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.array(piece).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(string, (text) => {
        const parsed = parseSearchString(text);
        if (parsed.ok)
          expect(parseSearchString(parsed.value.text)).toMatchObject({ value: { text: parsed.value.text } });
        const [, at = "1"] = /^at character (\d+): /.exec(parsed.ok ? "" : faultOf(text)) ?? [];
        expect(Number(at)).toBeLessThanOrEqual([...text].length + 1);
      }),
      { numRuns: 500 },
    );
  });
});
