import { type MemberError, ok, refuse, type Result } from "../errors.ts";
import { STATS_MAX_GROUPS } from "../limits.ts";
import { dayOf } from "./days.ts";

export const GROUPINGS = ["action", "category", "result", "target_type", "day", "actor"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Days as they were asked for, null for an open end; `text` is the canonical question, for its trace. */
export type DaysQuery = { from: string | null; to: string | null; text: string };
export type StatsQuery = DaysQuery & { group_by: Grouping; limit: number };

/** Reads the query of statistics; what is unknown, repeated or malformed is refused by name. */
export function parseStatsQuery(params: URLSearchParams): Result<StatsQuery> {
  const errors = misplaced(params, ["group_by", "from", "to", "limit"]);
  const group_by = GROUPINGS.find((name) => name === params.get("group_by"));
  if (group_by === undefined) errors.push(bad("group_by", `must be one of ${GROUPINGS.join(", ")}`));
  const limit = params.get("limit") ?? String(STATS_MAX_GROUPS);
  const groups = /^[1-9]\d{0,3}$/.test(limit) ? Number(limit) : Infinity;
  if (groups > STATS_MAX_GROUPS) errors.push(bad("limit", `must be a whole number from 1 to ${STATS_MAX_GROUPS}`));
  const days = parseDays(params, errors);
  if (group_by === undefined || errors.length > 0) return refused(errors);
  const text = new URLSearchParams([["group_by", group_by], ...new URLSearchParams(days.text)]).toString();
  return ok({ ...days, group_by, limit: groups, text });
}

/** Reads the query of an inventory: days alone. */
export function parseDaysQuery(params: URLSearchParams): Result<DaysQuery> {
  const errors = misplaced(params, ["from", "to"]);
  const days = parseDays(params, errors);
  return errors.length > 0 ? refused(errors) : ok(days);
}

function parseDays(params: URLSearchParams, errors: MemberError[]): DaysQuery {
  const day = (name: "from" | "to") => {
    const text = params.get(name);
    const found = text === null ? null : dayOf(text);
    if (text !== null && found === null) {
      errors.push(bad(name, "must be a day such as 2026-11-21 or an RFC 3339 time such as 2026-11-21T17:59:58Z"));
    }
    return found;
  };
  const from = day("from");
  const to = day("to");
  if (from !== null && to !== null && to < from) errors.push(bad("to", "must not be before from"));
  const asked = Object.entries({ from, to }).filter((pair): pair is [string, string] => pair[1] !== null);
  return { from, to, text: new URLSearchParams(asked).toString() };
}

function misplaced(params: URLSearchParams, names: readonly string[]): MemberError[] {
  return [...new Set(params.keys())].flatMap((name) => {
    if (!names.includes(name)) return [bad(name, "is not a parameter of this request")];
    return params.getAll(name).length > 1 ? [bad(name, "may be given once")] : [];
  });
}

function bad(name: string, message: string): MemberError {
  return { pointer: `/${name}`, message };
}

function refused(errors: MemberError[]) {
  const [first] = errors;
  return refuse("invalid_request", `${first?.pointer.slice(1)} ${first?.message}.`, { errors });
}
