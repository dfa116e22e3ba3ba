import type { SealedEntryView } from "../chain/open-sealed.ts";
import { ENTRY_MAX_WORDS, WORD_MAX_CHARACTERS } from "../limits.ts";
import { type TermKey, textTokens, type WordKind } from "./token.ts";
import { wordsOf, wordsOfSource } from "./words.ts";

/** A text of an entry that is read for words; `source` is JSON source. */
type FreeText = { kind: WordKind; text: string; source: boolean };

/** As far as a text is read for words: ENTRY_MAX_WORDS of the longest kept whole. */
const TEXT_MAX_CHARACTERS = ENTRY_MAX_WORDS * WORD_MAX_CHARACTERS;

/** The tokens of the words an entry can be found by. */
export function wordTokens(key: TermKey, entry: SealedEntryView): string[] {
  const found = readWords(entry, ({ kind, text, source }) => textTokens(key, kind, text, { source }));
  return [...found.word, ...found.personal];
}

/** The words an entry can be found by, text by text and in order: what its reader may not see is in none. */
export function findableWords(entry: SealedEntryView): string[][] {
  const texts: string[][] = [];
  readWords(entry, function* ({ text, source }) {
    const words: string[] = [];
    texts.push(words);
    for (const word of source ? wordsOfSource(text) : wordsOf(text)) {
      words.push(word);
      yield word;
    }
  });
  return texts;
}

/**
 * Reads the texts of an entry until ENTRY_MAX_WORDS different words are found. Personal words are counted apart: else it
 * would hang on them which of the others are found, and so a reader without `personal:read` could tell how many there are.
 */
function readWords(
  entry: SealedEntryView,
  read: (text: FreeText) => Iterable<string>,
): Record<WordKind, ReadonlySet<string>> {
  const found = { word: new Set<string>(), personal: new Set<string>() };
  for (const text of freeTexts(entry)) {
    const words = found[text.kind];
    if (words.size >= ENTRY_MAX_WORDS) continue;
    for (const word of read(text)) {
      words.add(word);
      if (words.size >= ENTRY_MAX_WORDS) break;
    }
  }
  return found;
}

/** Texts in the order of their worth, for long free values use up what is left: texts of people first, metadata last. */
function freeTexts(entry: SealedEntryView): FreeText[] {
  const texts: FreeText[] = [];
  const add = (kind: WordKind, text: string | null | undefined, source = false) => {
    if (text !== null && text !== undefined) texts.push({ kind, text: text.slice(0, TEXT_MAX_CHARACTERS), source });
  };
  const { event, note, changes } = entry;
  const parties = [entry.actor, entry.on_behalf_of, ...entry.targets].filter((party) => party !== null);
  add("word", event?.action);
  add("word", note?.reason);
  add("word", note?.error_message);
  add("word", event?.outcome?.error_code);
  for (const { type, id, name, email } of parties) {
    add("word", type);
    add("word", id);
    add("personal", name);
    add("personal", email);
  }
  for (const text of Object.values(entry.context ?? {})) add("personal", text);
  for (const field of changes?.fields ?? []) add("word", field);
  add("word", entry.metadata, true);
  add("word", changes?.before, true);
  add("word", changes?.after, true);
  for (const { metadata } of parties) add("personal", metadata, true);
  return texts;
}
