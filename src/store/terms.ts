import type { SealedEntryView } from "../chain/open-sealed.ts";
import { ENTRY_MAX_WORDS, WORD_MAX_CHARACTERS } from "../limits.ts";
import { instantOf } from "../schema/names.ts";
import { instantTerms } from "./time-terms.ts";
import { type TermKey, type TokenKind, token } from "./token.ts";
import { wordsOf, wordsOfSource } from "./words.ts";

export { timeTerms } from "./time-terms.ts";
export { type TermKey, type TokenKind, termKeyOf, token } from "./token.ts";

/** When an entry says it happened, in milliseconds; when it does not say, when it was received (or sequenced). */
export function occurredMsOf(entry: SealedEntryView): number {
  const { event, leaf } = entry;
  return timeOf(event?.occurred_at) ?? timeOf(event?.received_at) ?? Date.parse(leaf.sequenced_at);
}

function timeOf(text: string | undefined): number | null {
  return text === undefined ? null : instantOf(text);
}

/** The search tokens of an entry, joined by spaces: each value it can be found by, and up to ENTRY_MAX_WORDS words. */
export function termsOf(key: TermKey, entry: SealedEntryView): string {
  const terms: string[] = [];
  const add = (kind: TokenKind, value: string | null | undefined) => {
    if (value !== null && value !== undefined) terms.push(token(key, kind, value));
  };
  const { event, context } = entry;
  add("all", "");
  add("id", entry.id);
  add("actor", entry.actor?.id);
  add("on_behalf_of", entry.on_behalf_of?.id);
  add("action", event?.action);
  for (const prefix of prefixesOf(event?.action ?? "")) add("prefix", prefix);
  for (const { type, id } of entry.targets) {
    add("target_type", type);
    add("target", id);
    if (id !== null) add("pair", `${type}\0${id}`);
  }
  add("category", entry.leaf.category);
  add("source", entry.leaf.source);
  if (event !== null) add("result", event.outcome?.result ?? "success");
  add("ip", context?.["ip"]);
  add("session", context?.["session_id"]);
  add("request", context?.["request_id"]);
  terms.push(...instantTerms(key, occurredMsOf(entry)));
  const words = entryWords(entry);
  for (const word of words.plain) terms.push(token(key, "word", word));
  for (const word of words.personal) terms.push(token(key, "personal", word));
  return terms.join(" ");
}

/** `a` and `a.b` of the action `a.b.c`. */
function prefixesOf(action: string): string[] {
  const prefixes: string[] = [];
  for (let dot = action.indexOf("."); dot !== -1; dot = action.indexOf(".", dot + 1))
    prefixes.push(action.slice(0, dot));
  return prefixes;
}

/** As far as a text is read for words: ENTRY_MAX_WORDS of the longest kept whole. */
const TEXT_MAX_CHARACTERS = ENTRY_MAX_WORDS * WORD_MAX_CHARACTERS;

/** Words in the order of their worth, for long free values use up what is left: texts of people first, metadata last. */
function entryWords(entry: SealedEntryView): { plain: Set<string>; personal: Set<string> } {
  const plain = new Set<string>();
  const personal = new Set<string>();
  const add = (words: Set<string>, text: string | null | undefined, split = wordsOf) => {
    if (text === null || text === undefined) return;
    for (const word of split(text.slice(0, TEXT_MAX_CHARACTERS))) {
      if (plain.size + personal.size >= ENTRY_MAX_WORDS) return;
      words.add(word);
    }
  };
  const { event, note, changes } = entry;
  const parties = [entry.actor, entry.on_behalf_of, ...entry.targets].filter((party) => party !== null);
  add(plain, event?.action);
  add(plain, note?.reason);
  add(plain, note?.error_message);
  add(plain, event?.outcome?.error_code);
  for (const { type, id, name, email } of parties) {
    add(plain, type);
    add(plain, id);
    add(personal, name);
    add(personal, email);
  }
  for (const text of Object.values(entry.context ?? {})) add(personal, text);
  for (const field of changes?.fields ?? []) add(plain, field);
  add(plain, entry.metadata, wordsOfSource);
  add(plain, changes?.before, wordsOfSource);
  add(plain, changes?.after, wordsOfSource);
  for (const { metadata } of parties) add(personal, metadata, wordsOfSource);
  return { plain, personal };
}
