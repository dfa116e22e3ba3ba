import { timeTerms } from "./time-terms.ts";
import { type TermKey, type TokenKind, token } from "./token.ts";

/**
 * Which entries: each member given must hold, and a list is "any of". An action ending in `.*` is a prefix. `from` and `to`
 * are milliseconds of when it happened, both included.
 */
export type EntryFilter = {
  id?: string[];
  actor?: string[];
  action?: string[];
  target?: string[];
  target_type?: string[];
  /** Targets by both, in any role; `type` has no NUL, which parts the two in the token. */
  about?: { type: string; id: string }[];
  category?: string[];
  source?: string[];
  on_behalf_of?: string[];
  result?: string[];
  /** These three lie in `context`, which needs `personal:read`. */
  ip?: string[];
  session_id?: string[];
  request_id?: string[];
  from?: number;
  to?: number;
};

/**
 * The FTS5 expression of a filter, or null when it lets everything through. Only opaque tokens stand in it, so no value can
 * be read as syntax. It finds every entry the filter holds for, and now and then one more.
 */
export function matchOf(key: TermKey, filter: EntryFilter): string | null {
  const groups: string[][] = [];
  const add = (kind: TokenKind, values: string[] | undefined) => {
    if (values !== undefined && values.length > 0) groups.push(values.map((value) => token(key, kind, value)));
  };
  add("id", filter.id);
  add("actor", filter.actor);
  add("on_behalf_of", filter.on_behalf_of);
  add("result", filter.result);
  add("ip", filter.ip);
  add("session", filter.session_id);
  add("request", filter.request_id);
  add("target", filter.target);
  add("target_type", filter.target_type);
  add(
    "pair",
    filter.about?.map(({ type, id }) => `${type}\0${id}`),
  );
  add("category", filter.category);
  add("source", filter.source);
  if (filter.action !== undefined && filter.action.length > 0) {
    groups.push(filter.action.map((action) => actionTerm(key, action)));
  }
  if (filter.from !== undefined || filter.to !== undefined) groups.push(timeTerms(key, filter));
  if (groups.length === 0) return null;
  // No token at all (`from` after `to`): nothing matches, as an entry without any token does not exist.
  return groups.map((group) => (group.length === 0 ? NOTHING : `(${group.map(quoted).join(" OR ")})`)).join(" AND ");
}

/** No token holds a zero. */
const NOTHING = '"0"';

function actionTerm(key: TermKey, action: string): string {
  return action.endsWith(".*") ? token(key, "prefix", action.slice(0, -2)) : token(key, "action", action);
}

function quoted(term: string): string {
  return `"${term}"`;
}
