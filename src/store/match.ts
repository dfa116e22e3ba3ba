import { timeTerms } from "./time-terms.ts";
import { type TermKey, type TokenKind, token } from "./token.ts";

/** What an entry is found by, and the kind of its tokens. */
const KINDS = {
  id: "id",
  actor: "actor",
  on_behalf_of: "on_behalf_of",
  action: "action",
  target: "target",
  target_type: "target_type",
  /** A target by both, in any role: see `pairOf`. */
  about: "pair",
  category: "category",
  source: "source",
  result: "result",
  ip: "ip",
  session_id: "session",
  request_id: "request",
  /** What a query quotes, in traces of reading: for who has to find them; no reader can ask for it. */
  quoted: "quoted",
} as const satisfies Record<string, TokenKind>;

/** `words`: words as `wordsOf` gives them, joined by spaces, that follow each other in one text. */
export type ValueField = keyof typeof KINDS | "words";

/**
 * One demand on an entry. Of `values` any one is enough, or with `exclude` none may be there; an action ending in `.*` is
 * a prefix. `from` and `to` are milliseconds of when it happened, both included.
 */
export type Clause =
  | { field: ValueField; values: readonly string[]; exclude: boolean }
  | { field: "from"; at: number }
  | { field: "to"; at: number };

/** Which entries: those for which every clause holds. */
export type EntryFilter = readonly Clause[];

/** A target by type and id as one value; `type` has no NUL. */
export function pairOf({ type, id }: { type: string; id: string }): string {
  return `${type}\0${id}`;
}

/**
 * The FTS5 expression of a filter, or null when it lets everything through. Only opaque tokens stand in it, so no value can
 * be read as syntax. It finds every entry the filter holds for, and a few more: who asks checks again. Without `personal`
 * no word of a section that needs `personal:read` is looked at, neither to find nor to exclude.
 */
export function matchOf(
  { termKey, personal }: { termKey: TermKey; personal: boolean },
  filter: EntryFilter,
): string | null {
  const wanted: string[] = [];
  const unwanted: string[] = [];
  let from = -Infinity;
  let to = Infinity;
  const one = (field: ValueField, value: string) =>
    field === "words" ? phraseTerm(termKey, value, personal) : quoted(termOf(termKey, field, value));
  for (const clause of filter) {
    if (clause.field === "from") from = Math.max(from, clause.at);
    else if (clause.field === "to") to = Math.min(to, clause.at);
    else if (!clause.exclude) wanted.push(anyOf(clause.values.map((value) => one(clause.field, value))));
    // Whether words follow each other stands in no index, so a phrase is excluded by who opens the entry.
    else
      unwanted.push(
        ...clause.values.filter((value) => !isPhrase(clause.field, value)).map((v) => one(clause.field, v)),
      );
  }
  if (from !== -Infinity || to !== Infinity) wanted.push(anyOf(timeTerms(termKey, { from, to }).map(quoted)));
  if (unwanted.length === 0) return wanted.length === 0 ? null : wanted.join(" AND ");
  const left = wanted.length === 0 ? quoted(token(termKey, "all", "")) : wanted.join(" AND ");
  return `(${left}) NOT ${anyOf(unwanted)}`;
}

/** No token holds a zero: of no values none is there. */
const NOTHING = '"0"';

function anyOf(terms: readonly string[]): string {
  return terms.length === 0 ? NOTHING : `(${terms.join(" OR ")})`;
}

function isPhrase(field: ValueField, value: string): boolean {
  return field === "words" && value.includes(" ");
}

function termOf(key: TermKey, field: keyof typeof KINDS, value: string): string {
  if (field === "action" && value.endsWith(".*")) return token(key, "prefix", value.slice(0, -2));
  return token(key, KINDS[field], value);
}

/** All its words, each wherever the reader may look for it. */
function phraseTerm(key: TermKey, value: string, personal: boolean): string {
  const kinds = personal ? (["word", "personal"] as const) : (["word"] as const);
  const words = [...new Set(value.split(" "))];
  return `(${words.map((word) => anyOf(kinds.map((kind) => quoted(token(key, kind, word))))).join(" AND ")})`;
}

function quoted(term: string): string {
  return `"${term}"`;
}
