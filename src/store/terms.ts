import type { SealedEntryView } from "../chain/open-sealed.ts";
import { instantOf } from "../schema/names.ts";
import { wordTokens } from "./free-words.ts";
import { pairOf } from "./match.ts";
import { quotedIn } from "./quoted.ts";
import { instantTerms } from "./time-terms.ts";
import { type TermKey, type TokenKind, token } from "./token.ts";

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

/** The search tokens of an entry, joined by spaces: each value it can be found by, and its findable words. */
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
    if (id !== null) add("pair", pairOf({ type, id }));
  }
  add("category", entry.leaf.category);
  add("source", entry.leaf.source);
  if (event !== null) add("result", event.outcome?.result ?? "success");
  add("ip", context?.["ip"]);
  add("session", context?.["session_id"]);
  add("request", context?.["request_id"]);
  for (const text of quotedBy(entry)) add("quoted", text);
  terms.push(...instantTerms(key, occurredMsOf(entry)));
  terms.push(...wordTokens(key, entry));
  return terms.join(" ");
}

/** What a trace of reading quotes; nothing of other entries. */
export function quotedBy({ leaf, note }: Pick<SealedEntryView, "leaf" | "note">): string[] {
  return leaf.source !== "service" || note?.query === undefined ? [] : quotedIn(note.query);
}

/** `a` and `a.b` of the action `a.b.c`. */
function prefixesOf(action: string): string[] {
  const prefixes: string[] = [];
  for (let dot = action.indexOf("."); dot !== -1; dot = action.indexOf(".", dot + 1))
    prefixes.push(action.slice(0, dot));
  return prefixes;
}
