import { describe, expect, it } from "vitest";
import { ENTRY_MAX_WORDS } from "../../src/limits.ts";
import { matches } from "../../src/query/matches.ts";
import { findableWords } from "../../src/store/free-words.ts";
import { termKeyOf, token } from "../../src/store/terms.ts";
import { wordsOf } from "../../src/store/words.ts";
import { entryOf, type Said } from "../store/cells.ts";

const KEY = termKeyOf("index key", "acme");
const SAID: Said = {
  action: "note.add",
  actor: { type: "user", id: "u_1", name: "Ada King" },
  reason: "one two three",
  metadata: '["threefold four","four five"]',
};

const found = (said: Said, text: string, exclude = false) =>
  matches([{ field: "words", values: [wordsOf(text).join(" ")], exclude }], entryOf(KEY, 0, said).opened);

describe("words", () => {
  it.each(["two", "one two", "two three", "one two three", "threefold four", "four four five", "ADA king", "u_1"])(
    "%j stand in the entry",
    (text) => {
      expect(found(SAID, text)).toBe(true);
      expect(found(SAID, text, true)).toBe(false);
    },
  );

  it.each([
    "wo",
    "tw",
    "ne two",
    "one tw",
    "two one",
    "one three",
    "two two",
    "three threefold",
    "add user",
    "five six",
  ])("%j do not, though their parts may", (text) => {
    expect(found(SAID, text)).toBe(false);
    expect(found(SAID, text, true)).toBe(true);
  });

  it("are found as far as the index holds them, personal ones counted apart", () => {
    const many = (stem: string, count: number) => Array.from({ length: count }, (_, n) => `${stem}${n}`).join(" ");
    const said = { ...SAID, reason: many("w", 300), actor: { type: "user", id: "u_1", name: many("p", 300) } };
    const { opened, terms } = entryOf(KEY, 0, said);
    const words = new Set(findableWords(opened).flat());
    expect(words.size).toBe(2 * ENTRY_MAX_WORDS);
    const indexed = new Set(terms.split(" "));
    for (let n = 0; n < 300; n++) {
      expect(words.has(`w${n}`), `w${n}`).toBe(indexed.has(token(KEY, "word", `w${n}`)));
      expect(words.has(`p${n}`), `p${n}`).toBe(indexed.has(token(KEY, "personal", `p${n}`)));
    }
    // Who may not see the name finds the very same of the others.
    const nameless = entryOf(KEY, 0, { ...said, actor: { type: "user", id: "u_1" } }).opened;
    const seen = new Set(findableWords(nameless).flat());
    expect([...seen]).toEqual([...words].filter((word) => !word.startsWith("p")));
    expect(seen.size).toBe(ENTRY_MAX_WORDS);
  });
});
