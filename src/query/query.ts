import { createHash } from "node:crypto";
import * as z from "zod";
import { type MemberError, ok, refuse, type Result } from "../errors.ts";
import { FILTER_MAX_VALUES, PAGE_DEFAULT_ENTRIES, PAGE_MAX_ENTRIES } from "../limits.ts";
import { actionSchema, CATEGORIES, instantOf, labelSchema, subjectIdSchema } from "../schema/names.ts";
import type { EntryFilter } from "../store/match.ts";

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

const actionFilter = z
  .string()
  .refine((text) => actionSchema.safeParse(text.endsWith(".*") ? text.slice(0, -2) : text).success, {
    message: "must be an action such as user.created, or a prefix such as user.*",
  });

/** Filters that may be repeated ("any of"), each with the shape of a value. */
const VALUES = {
  actor: subjectIdSchema,
  on_behalf_of: subjectIdSchema,
  action: actionFilter,
  target: subjectIdSchema,
  target_type: labelSchema,
  category: z.enum(CATEGORIES),
  source: z.enum(["client", "service"]),
  result: z.enum(["success", "failure", "denied"]),
  ip: z.string().min(1).max(200),
  session_id: z.string().min(1).max(1_000),
  request_id: z.string().min(1).max(1_000),
} as const;

const NOT_YET = new Set(["q"]);

/** Reads the query of a list; every parameter that is unknown, repeated or malformed is refused by name. */
export function parseListQuery(params: URLSearchParams): Result<ListQuery> {
  const errors: MemberError[] = [];
  const bad = (name: string, message: string) => errors.push({ pointer: `/${name}`, message });
  const filter: EntryFilter = {};
  for (const name of new Set(params.keys())) {
    if (Object.hasOwn(VALUES, name)) addValues(filter, name as keyof typeof VALUES, params.getAll(name), bad);
    else if (NOT_YET.has(name)) bad(name, "is not available yet; use the filters");
    else if (name === "sort") bad(name, "is not available: entries come newest first, or order=asc");
    else if (!SINGLE.has(name)) bad(name, "is not a parameter of this request");
    else if (params.getAll(name).length > 1) bad(name, "may be given once");
  }
  const from = instant(params, "from", bad);
  const to = instant(params, "to", bad);
  if (from !== null) filter.from = from;
  if (to !== null) filter.to = to;
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
    text: canonical(params),
  };
  const [first] = errors;
  if (first === undefined) return ok(query);
  return refuse("invalid_request", `${first.pointer.slice(1)} ${first.message}.`, { errors });
}

/** Which values of `context` a filter asks for; a reader without `personal:read` must not probe them. */
export function asksPersonal(filter: EntryFilter): boolean {
  return filter.ip !== undefined || filter.session_id !== undefined || filter.request_id !== undefined;
}

/** What a cursor is bound to, beside the org. */
export function printOf(query: ListQuery): string {
  return createHash("sha256").update(`${query.order}\0${query.text}`).digest("base64url").slice(0, 16);
}

const SINGLE = new Set(["from", "to", "order", "limit", "cursor", "min_size", "after_index", "before_index"]);
/** Where one stands in a walk: no part of the question. */
const POSITION = new Set(["limit", "cursor", "min_size", "after_index", "before_index", "order"]);
const INDEXES = { low: 0, high: 2 ** 32 };

type Bad = (name: string, message: string) => void;

function addValues(filter: EntryFilter, name: keyof typeof VALUES, values: string[], bad: Bad): void {
  if (values.length > FILTER_MAX_VALUES) bad(name, `may be given at most ${FILTER_MAX_VALUES} times`);
  const shape: z.ZodType<string> = VALUES[name];
  for (const value of values) {
    const checked = shape.safeParse(value);
    if (!checked.success) bad(name, checked.error.issues[0]?.message ?? "is not valid");
  }
  filter[name] = values;
}

function instant(params: URLSearchParams, name: string, bad: Bad): number | null {
  const text = params.get(name);
  if (text === null) return null;
  // A "+" of an offset arrives as a space when it was not escaped.
  const found = instantOf(text.replace(" ", "+"));
  if (found === null) bad(name, "must be an RFC 3339 time, such as 2026-11-21T17:59:58.123Z");
  return found;
}

function integer(params: URLSearchParams, name: string, { low, high }: { low: number; high: number }, bad: Bad) {
  const text = params.get(name);
  if (text === null) return null;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  bad(name, `must be a whole number from ${low} to ${high}`);
  return null;
}

function canonical(params: URLSearchParams): string {
  const pairs = [...params].filter(([name]) => !POSITION.has(name));
  pairs.sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1));
  return new URLSearchParams(pairs).toString();
}
