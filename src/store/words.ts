import { WORD_MAX_CHARACTERS } from "../limits.ts";

const ASCII = /^[\0-\x7f]*$/;
const ASCII_WORD = /[a-z0-9]+/g;
/** Marks belong to the letter before them: without them words of Indic scripts would fall to pieces. */
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts written without spaces between words. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]+/gu;

/** Whether a text has letters of a script that is written without spaces. */
export function hasUnspaced(text: string): boolean {
  return text.search(UNSPACED) !== -1;
}

/**
 * The words of a text, in order, as they are searched for: NFKC, lower case, runs of letters and digits; Han, Kana and
 * Hangul in pairs of neighbours (a lone one stands alone). A word is cut after WORD_MAX_CHARACTERS. The index, queries and
 * tests all use this one function.
 */
export function wordsOf(text: string): string[] {
  if (ASCII.test(text)) return (text.toLowerCase().match(ASCII_WORD) ?? []).map(cut);
  // Lower case may leave NFKC, so it is taken twice.
  const folded = text.normalize("NFKC").toLowerCase().normalize("NFKC");
  const words: string[] = [];
  for (const [run] of folded.matchAll(WORD)) {
    let end = 0;
    for (const { 0: unspaced, index } of run.matchAll(UNSPACED)) {
      if (index > end) words.push(cut(run.slice(end, index)));
      addPairs(words, unspaced);
      end = index + unspaced.length;
    }
    if (end < run.length) words.push(cut(run.slice(end)));
  }
  return words;
}

/** The words of a JSON text that is kept as its source: its escapes are read, numbers stay as they are written. */
export function wordsOfSource(source: string): string[] {
  return wordsOf(source.includes("\\") ? source.replace(ESCAPE, unescaped) : source);
}

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(.))/g;
const SPACES = "nrtbf";

function unescaped(_: string, hex: string | undefined, character: string | undefined): string {
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  return character === undefined || SPACES.includes(character) ? " " : character;
}

function addPairs(words: string[], run: string): void {
  const characters = [...run];
  if (characters.length === 1) words.push(run);
  for (let at = 0; at + 1 < characters.length; at++) words.push(`${characters[at]}${characters[at + 1]}`);
}

function cut(word: string): string {
  if (word.length <= WORD_MAX_CHARACTERS) return word;
  const last = word.charCodeAt(WORD_MAX_CHARACTERS - 1);
  return word.slice(0, last >= 0xd800 && last <= 0xdbff ? WORD_MAX_CHARACTERS - 1 : WORD_MAX_CHARACTERS);
}
