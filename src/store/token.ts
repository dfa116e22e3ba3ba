import { createHmac } from "node:crypto";
import { TEXT_KEPT_MAX_CHARACTERS, TEXTS_MAX_COUNT, TOKENS_MAX_COUNT } from "../limits.ts";
import { Recent } from "./recent.ts";
import { type SipKey, sipHash, sipKeyOf } from "./siphash.ts";
import { wordsOf, wordsOfSource } from "./words.ts";

/**
 * What a search token stands for, and the byte that keeps kinds apart in the hash. `prefix`: the dotted parts an action
 * begins with; `pair`: type, U+0000 and id of a target; `personal`: a word of a section that needs `personal:read`; `quoted`:
 * what a query quotes that somebody read by; `coarse_hour`: the hour of a row that was indexed before minutes were.
 */
const KINDS = {
  all: 0,
  id: 1,
  actor: 2,
  on_behalf_of: 3,
  action: 4,
  prefix: 5,
  target: 6,
  pair: 7,
  target_type: 8,
  category: 9,
  result: 10,
  ip: 11,
  session: 12,
  request: 13,
  source: 14,
  year: 15,
  month: 16,
  day: 17,
  coarse_hour: 18,
  word: 19,
  personal: 20,
  decade: 21,
  quoted: 22,
  hour: 23,
  ten_minutes: 24,
  minute: 25,
} as const;
export type TokenKind = keyof typeof KINDS;

/** Kinds whose values are new with nearly every entry: remembering them would push out those that are not. */
const FLEETING: ReadonlySet<TokenKind> = new Set(["id", "target", "pair", "session", "request", "quoted"]);

/** A word longer than this is a slice to the engine, and remembered it would keep its whole text in memory. */
const COPIED_MAX_CHARACTERS = 12;

/** Words that begin with a digit are numbers and parts of ids, most of them new as well. */
function isFleeting(kind: TokenKind, value: string): boolean {
  if (kind !== "word" && kind !== "personal") return FLEETING.has(kind);
  const first = value.charCodeAt(0);
  return value.length > COPIED_MAX_CHARACTERS || (first >= 0x30 && first <= 0x39);
}

/**
 * An org's key to its search tokens, with those used of late: of values by kind (a map keyed by kind and value would hash a
 * new string at each look), of whole texts, and of the minute used last.
 */
export type TermKey = {
  readonly sip: SipKey;
  readonly values: readonly Recent<string>[];
  readonly texts: Readonly<Record<WordKind, Recent<readonly string[]>>>;
  minute: { number: number; terms: readonly string[] } | null;
};
export type WordKind = "word" | "personal";

/** The key of an org: without `indexKey` nobody can tell what a token stands for, nor whether two orgs share a value. */
export function termKeyOf(indexKey: string, org: string): TermKey {
  const digest = createHmac("sha256", indexKey).update(`indelible/index/v1\0${org}`).digest();
  const values = Object.keys(KINDS).map(() => new Recent<string>(TOKENS_MAX_COUNT));
  const texts = {
    word: new Recent<readonly string[]>(TEXTS_MAX_COUNT),
    personal: new Recent<readonly string[]>(TEXTS_MAX_COUNT),
  };
  return { sip: sipKeyOf(digest), values, texts, minute: null };
}

/** An opaque word for a value, whatever the value holds: 13 of a-z and 2-7. Nothing but such words is in the index. */
export function token(key: TermKey, kind: TokenKind, value: string): string {
  if (isFleeting(kind, value)) return hashed(key, kind, value);
  const held = key.values[KINDS[kind]];
  const known = held?.get(value);
  if (known !== undefined) return known;
  const text = hashed(key, kind, value);
  held?.set(value, text);
  return text;
}

/**
 * The tokens of a text's words, in order, one by one: a long text has more than its reader takes. Those of a short text
 * are remembered, for names and user agents recur. A free value's are not: to the engine it is a slice of its section,
 * which would stay in memory with it.
 */
export function textTokens(
  key: TermKey,
  kind: WordKind,
  text: string,
  { source }: { source: boolean },
): Iterable<string> {
  if (source) return tokensOf(key, kind, wordsOfSource(text));
  if (text.length > TEXT_KEPT_MAX_CHARACTERS) return tokensOf(key, kind, wordsOf(text));
  const held = key.texts[kind];
  const known = held.get(text);
  if (known !== undefined) return known;
  const found = [...tokensOf(key, kind, wordsOf(text))];
  held.set(text, found);
  return found;
}

function* tokensOf(key: TermKey, kind: WordKind, words: Iterable<string>): Generator<string> {
  for (const word of words) yield token(key, kind, word);
}

const encoder = new TextEncoder();
/** Room for the kind and any value up to 1,365 characters; used within one synchronous call only. */
const scratch = new Uint8Array(4_096);

function hashed(key: TermKey, kind: TokenKind, value: string): string {
  const bytes = value.length * 3 < scratch.length ? scratch : new Uint8Array(1 + value.length * 3);
  bytes[0] = KINDS[kind];
  let length = 1;
  for (; length <= value.length; length++) {
    const unit = value.charCodeAt(length - 1);
    if (unit > 0x7f) break;
    bytes[length] = unit;
  }
  if (length <= value.length) length = 1 + encoder.encodeInto(value, bytes.subarray(1)).written;
  return sipHash(key.sip, bytes, length, base32Of);
}

/** 64 bits in base32, lower case: short, and ASCII, which stays one byte a character on its long way into the index. */
function base32Of(high: number, low: number): string {
  return String.fromCharCode(
    letterOf(high >>> 27),
    letterOf(high >>> 22),
    letterOf(high >>> 17),
    letterOf(high >>> 12),
    letterOf(high >>> 7),
    letterOf(high >>> 2),
    letterOf((high << 3) | (low >>> 29)),
    letterOf(low >>> 24),
    letterOf(low >>> 19),
    letterOf(low >>> 14),
    letterOf(low >>> 9),
    letterOf(low >>> 4),
    letterOf(low & 15),
  );
}

function letterOf(bits: number): number {
  const value = bits & 31;
  return value < 26 ? 97 + value : 24 + value;
}
