import { createHash } from "node:crypto";
import { type MemberError, ok, refuse, type Result } from "../errors.ts";
import { FILTER_MAX_VALUES, PAGE_DEFAULT_ENTRIES, PAGE_MAX_ENTRIES, QUESTION_MAX_VALUES } from "../limits.ts";
import type { Clause, EntryFilter } from "../store/match.ts";
import { type End, faultOf, type Field, instantAt, isEnd, isField, NO_EXCLUDED_END, NO_INSTANT } from "./fields.ts";
import { parseSearchString } from "./search-string.ts";

/** A list request, checked. `text` is the canonical filter, the same for every page and every poll of one question. */
export type ListQuery = {
  filter: EntryFilter;
  order: "asc" | "desc";
  limit: number;
  cursor: string | null;
  min_size: number | null;
  after_index: number | null;
  before_index: number | null;
  text: string;
};

/** Reads the query of a list; every parameter that is unknown, repeated or malformed is refused by name. */
export function parseListQuery(params: URLSearchParams): Result<ListQuery> {
  const errors: MemberError[] = [];
  const bad = (name: string, message: string) => errors.push({ pointer: `/${name}`, message });
  const filter: Clause[] = [];
  for (const name of new Set(params.keys())) {
    const exclude = name.startsWith("-");
    const field = exclude ? name.slice(1) : name;
    if (isField(field)) filter.push(clauseOf({ field, exclude, values: params.getAll(name) }, bad));
    else if (exclude && isEnd(field)) bad(name, NO_EXCLUDED_END);
    else if (name === "sort") bad(name, "is not available: entries come newest first, or order=asc");
    else if (!SINGLE.has(name)) bad(name, "is not a parameter of this request");
    else if (params.getAll(name).length > 1) bad(name, "may be given once");
    else if (isEnd(name)) addEnd(filter, name, params.get(name) ?? "", bad);
  }
  const search = params.has("q") ? parseSearchString(params.get("q") ?? "") : null;
  if (search?.ok === false) errors.push(...(search.refusal.errors ?? []));
  else if (search !== null) filter.push(...search.value.clauses);
  if (valuesOf(filter) > QUESTION_MAX_VALUES) {
    errors.push({ pointer: "", message: `A question may have at most ${QUESTION_MAX_VALUES} values and words in all` });
  }
  const order = params.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") bad("order", "must be asc or desc");
  const query = {
    filter,
    order: order === "asc" ? ("asc" as const) : ("desc" as const),
    limit: integer(params, "limit", { low: 1, high: PAGE_MAX_ENTRIES }, bad) ?? PAGE_DEFAULT_ENTRIES,
    cursor: params.get("cursor"),
    min_size: integer(params, "min_size", INDEXES, bad),
    after_index: integer(params, "after_index", INDEXES, bad),
    before_index: integer(params, "before_index", INDEXES, bad),
    text: canonical(params, search?.ok === true ? search.value.text : null),
  };
  const [first] = errors;
  if (first === undefined) return ok(query);
  return refuse("invalid_request", `${first.pointer.slice(1)} ${first.message}.`.trimStart(), { errors });
}

/** How many lists of the index a filter asks for. */
function valuesOf(filter: EntryFilter): number {
  const values = filter.flatMap((clause) =>
    "values" in clause ? clause.values.map((value) => [clause, value] as const) : [],
  );
  return values.reduce((sum, [{ field }, value]) => sum + (field === "words" ? value.split(" ").length : 1), 0);
}

/** Whether a filter asks for values of `context`; a reader without `personal:read` must not probe them, nor by excluding. */
export function asksPersonal(filter: EntryFilter): boolean {
  return filter.some(({ field }) => field === "ip" || field === "session_id" || field === "request_id");
}

/** What a cursor is bound to, beside the org. */
export function printOf(query: ListQuery): string {
  return createHash("sha256").update(`${query.order}\0${query.text}`).digest("base64url").slice(0, 16);
}

const SINGLE = new Set(["q", "from", "to", "order", "limit", "cursor", "min_size", "after_index", "before_index"]);
/** Where one stands in a walk: no part of the question. */
const POSITION = new Set(["limit", "cursor", "min_size", "after_index", "before_index", "order"]);
const INDEXES = { low: 0, high: 2 ** 32 };

type Bad = (name: string, message: string) => void;

function clauseOf({ field, exclude, values }: { field: Field; exclude: boolean; values: string[] }, bad: Bad): Clause {
  const name = exclude ? `-${field}` : field;
  if (values.length > FILTER_MAX_VALUES) bad(name, `may be given at most ${FILTER_MAX_VALUES} times`);
  for (const value of values) {
    const fault = faultOf(field, value);
    if (fault !== null) bad(name, fault);
  }
  return { field, values: [...new Set(values)], exclude };
}

function addEnd(filter: Clause[], name: End, text: string, bad: Bad): void {
  const at = instantAt(text);
  if (at === null) bad(name, NO_INSTANT);
  else filter.push({ field: name, at });
}

function integer(params: URLSearchParams, name: string, { low, high }: { low: number; high: number }, bad: Bad) {
  const text = params.get(name);
  if (text === null) return null;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  bad(name, `must be a whole number from ${low} to ${high}`);
  return null;
}

/** The question in one spelling: parameters sorted, each value once, the search string as `parseSearchString` spells it. */
function canonical(params: URLSearchParams, search: string | null): string {
  const asked = [...params].filter(([name]) => !POSITION.has(name) && name !== "q");
  if (search !== null) asked.push(["q", search]);
  const pairs = [...new Map(asked.map((pair) => [pair.join("\0"), pair])).values()];
  pairs.sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1));
  return new URLSearchParams(pairs).toString();
}
