import { describe, expect, it } from "vitest";
import { QUOTED_MAX_COUNT } from "../../src/limits.ts";
import { quotedIn, quotesAny } from "../../src/store/quoted.ts";
import { termKeyOf, termsOf, token } from "../../src/store/terms.ts";
import { entryOf } from "./cells.ts";

const queryOf = (params: Record<string, string>) => new URLSearchParams(params).toString();

describe("what a query quotes", () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      "ids, addresses and sessions",
      { actor: "u_17", target: "d 9", ip: "192.0.2.1", session_id: "s1" },
      ["u_17", "d 9", "192.0.2.1", "s1"],
    ],
    ["who is left out", { "-actor": "u_17" }, ["u_17"]],
    ["a search string in its parts", { q: 'actor:u_17 -target:"Ada L" word' }, ["u_17", "Ada L", "word"]],
    ["what stands in quotes, escapes read", { q: String.raw`actor:"a \"b\" \\c"` }, [String.raw`a "b" \c`]],
    ["an event asked for by its id", { event: "mail-ada@example.com" }, ["mail-ada@example.com"]],
    ["filters nobody has thought of yet", { about: "user:ada@example.com" }, ["ada@example.com"]],
    ["values of any characters", { actor: "j&=%ü\u{1f600}" }, ["j&=%ü\u{1f600}"]],
  ])("is %s", (_, params, quoted) => {
    for (const text of quoted) expect(quotedIn(queryOf(params))).toContain(text);
  });

  it("is nothing of closed lists, times and places", () => {
    expect(
      quotedIn("action=user.*&-category=login&result=denied&from=2026-01-01T00%3A00%3A00Z&log=2&source=client"),
    ).toEqual([]);
    expect(quotedIn("")).toEqual([]);
  });

  it("is bounded, whole values first", () => {
    const many = Array.from({ length: 400 }, (_, n) => `actor=a${n}+b${n}`).join("&");
    const found = quotedIn(many);
    expect(found).toHaveLength(QUOTED_MAX_COUNT);
    expect(found.slice(0, 400)).toEqual(Array.from({ length: 400 }, (_, n) => `a${n} b${n}`));
  });
});

describe("whether somebody is quoted", () => {
  it.each([
    ["complaint by u1", "u1", true],
    ["u1: a complaint", "U1", true],
    ["complaint by u17", "u1", false],
    ["case 42", "42", false],
    ["42", "42", true],
    ["for mail to Al", "Al", false],
    ["al", "Al", true],
    ["김철수님", "김철수", true],
    ["asked by jane@example.com.", "jane@example.com", true],
    ["Jane Roes", "Jane Roe", false],
  ])("%s has %s: %s", (said, text, is) => {
    expect(quotesAny([said], [text])).toBe(is);
  });
});

describe("the index", () => {
  const key = termKeyOf("index key", "acme");

  it("has what a trace of the service quotes, and nothing of what a client writes as a query", () => {
    const { opened: entry } = entryOf(key, 0, { id: "e", action: "a.b", actor: { type: "user", id: "u_1" } });
    const note = { query: "actor=u_17" };
    const trace = termsOf(key, { ...entry, note, leaf: { ...entry.leaf, source: "service" } }).split(" ");
    expect(trace).toContain(token(key, "quoted", "u_17"));
    expect(trace).not.toContain(token(key, "actor", "u_17"));
    const claimed = termsOf(key, { ...entry, note }).split(" ");
    expect(claimed).not.toContain(token(key, "quoted", "u_17"));
  });
});
