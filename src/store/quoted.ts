import { QUOTED_MAX_COUNT } from "../limits.ts";
import { hasUnspaced, wordsOf } from "./words.ts";

/** Parameters whose values come from a closed list, or are times and places in a log: none of them names anybody. */
const NAMES_NOBODY = new Set([
  "action",
  "category",
  "result",
  "source",
  "target_type",
  "from",
  "to",
  "log",
  "group_by",
]);

/**
 * What the query in a trace of reading quotes, so that the trace is found when somebody it names is to be forgotten: each
 * value as it stands (an id, an address), and its phrases and parts as a search string has them (`actor:u_17 "Ada L"`).
 * Unknown parameters count: a filter that comes later is found by as well.
 */
export function quotedIn(query: string): string[] {
  const values = [...new URLSearchParams(query)]
    .filter(([name]) => !NAMES_NOBODY.has(name.replace(/^-/, "")))
    .map(([, value]) => value);
  const phrases = values.flatMap((value) =>
    [...value.matchAll(PHRASE)].map(([, phrase = ""]) => phrase.replaceAll(/\\(.)/gs, "$1")),
  );
  const parts = values.flatMap((value) => value.split(PARTING).map((part) => part.replace(/^-/, "")));
  const found = new Set([...values, ...phrases, ...parts].filter((text) => text !== ""));
  return [...found].slice(0, QUOTED_MAX_COUNT);
}

/** In quotes a backslash stands before a quote or another backslash. */
const PHRASE = /"((?:[^"\\]|\\.)*)"/gs;
const PARTING = /[\s":,]+/;

/** Whether a query quotes any of these texts. */
export function quotes(query: string, texts: readonly string[]): boolean {
  return quotesAny(quotedIn(query), texts);
}

/** Whether any of these texts stands in what was quoted. */
export function quotesAny(quoted: readonly string[], texts: readonly string[]): boolean {
  return quoterOf(texts)(quoted);
}

/**
 * Reads texts once, to ask of much whether any of them stands in what was quoted: as it is, or as the words that a search string keeps of it, in
 * whatever case. A short text would be found in what has nothing to do with it, and counts only where it is all that was quoted; but names in Han, Kana
 * and Hangul are short, and so are ids, which have letters and digits.
 */
export function quoterOf(texts: readonly string[]): (quoted: readonly string[]) => boolean {
  const wanted = texts.map((text) => ({ text: text.toLowerCase(), words: spaced(text) }));
  return (quoted) =>
    quoted.some((one) => {
      const [held, words] = [one.toLowerCase(), spaced(one)];
      return wanted.some(({ text, words: some }) => {
        if (held === text) return true;
        const short = text.length < PART_MIN_CHARACTERS && !(LETTER.test(text) && DIGIT.test(text));
        if (short) return hasUnspaced(text) && words.includes(some);
        return standsIn(held, text) || (some.trim() !== "" && words.includes(some));
      });
    });
}

const PART_MIN_CHARACTERS = 4;

/** Words hold no space, so one run of words within a text is one string within another. */
function spaced(text: string): string {
  return ` ${wordsOf(text).join(" ")} `;
}

function standsIn(quoted: string, text: string): boolean {
  for (let at = quoted.indexOf(text); at !== -1; at = quoted.indexOf(text, at + 1)) {
    const [before, after] = [quoted[at - 1] ?? "", quoted[at + text.length] ?? ""];
    if (!WORD.test(before) && !WORD.test(after)) return true;
  }
  return false;
}
const WORD = /[\p{L}\p{N}]/u;
const LETTER = /\p{L}/u;
const DIGIT = /\p{N}/u;
