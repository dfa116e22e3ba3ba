import type { SealedEntryView } from "../chain/open-sealed.ts";
import { ENTRY_MAX_WORDS, WORD_MAX_CHARACTERS } from "../limits.ts";
import { instantOf } from "../schema/names.ts";
import { instantTerms } from "./time-terms.ts";
import { textTokens, type TermKey, type TokenKind, token } from "./token.ts";

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
  terms.push(...wordTokens(key, entry));
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
function wordTokens(key: TermKey, entry: SealedEntryView): Set<string> {
  const found = new Set<string>();
  const add = (kind: "word" | "personal", text: string | null | undefined, source = false) => {
    if (text === null || text === undefined || found.size >= ENTRY_MAX_WORDS) return;
    for (const word of textTokens(key, kind, text.slice(0, TEXT_MAX_CHARACTERS), { source })) {
      found.add(word);
      if (found.size >= ENTRY_MAX_WORDS) return;
    }
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
  return found;
}
