import { createHmac } from "node:crypto";
import { TOKEN_CACHE_MAX_COUNT } from "../limits.ts";
import { type SipKey, sipHash, sipKeyOf } from "./siphash.ts";

/**
 * What a search token stands for, and the byte that keeps kinds apart in the hash. `prefix`: the dotted parts an action
 * begins with; `pair`: type, U+0000 and id of a target; `personal`: a word of a section that needs `personal:read`.
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
  hour: 18,
  word: 19,
  personal: 20,
  decade: 21,
} as const;
export type TokenKind = keyof typeof KINDS;

/** Kinds whose values are new with nearly every entry: remembering them would push out those that are not. */
const FLEETING: ReadonlySet<TokenKind> = new Set(["id", "target", "pair", "session", "request"]);

/** A word longer than this is a slice to the engine, and remembered it would keep its whole text in memory. */
const COPIED_MAX_CHARACTERS = 12;

/** Words that begin with a digit are numbers and parts of ids, most of them new as well. */
function isFleeting(kind: TokenKind, value: string): boolean {
  if (kind !== "word" && kind !== "personal") return FLEETING.has(kind);
  const first = value.charCodeAt(0);
  return value.length > COPIED_MAX_CHARACTERS || (first >= 0x30 && first <= 0x39);
}

/** Tokens by value, one map a kind: a map keyed by kind and value would hash a new string at each look. */
type Cache = { maps: Map<string, string>[]; size: number };

/** An org's key to its search tokens, with those used of late, and those of the hour used last. */
export type TermKey = {
  readonly sip: SipKey;
  recent: Cache;
  older: Cache;
  hour: { number: number; terms: readonly string[] } | null;
};

/** The key of an org: without `indexKey` nobody can tell what a token stands for, nor whether two orgs share a value. */
export function termKeyOf(indexKey: string, org: string): TermKey {
  const digest = createHmac("sha256", indexKey).update(`indelible/index/v1\0${org}`).digest();
  return { sip: sipKeyOf(digest), recent: emptyCache(), older: emptyCache(), hour: null };
}

/** An opaque word for a value, whatever the value holds: 13 of a-z and 2-7. Nothing but such words is in the index. */
export function token(key: TermKey, kind: TokenKind, value: string): string {
  if (isFleeting(kind, value)) return hashed(key, kind, value);
  const place = KINDS[kind];
  const known = key.recent.maps[place]?.get(value);
  if (known !== undefined) return known;
  const text = key.older.maps[place]?.get(value) ?? hashed(key, kind, value);
  if (key.recent.size >= TOKEN_CACHE_MAX_COUNT / 2) {
    key.older = key.recent;
    key.recent = emptyCache();
  }
  key.recent.maps[place]?.set(value, text);
  key.recent.size++;
  return text;
}

function emptyCache(): Cache {
  return { maps: Object.keys(KINDS).map(() => new Map()), size: 0 };
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
