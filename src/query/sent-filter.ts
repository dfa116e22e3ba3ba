import { type MemberError, ok, refuse, type Result } from "../errors.ts";
import { parseListQuery } from "./query.ts";
import type { EntryFilter } from "../store/match.ts";

/** A filter as it is sent in a body, with the stretch of time beside it. */
type SentFilter = {
  filter?: Record<string, string | string[]> | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
};

/** Parameters of a list that choose no entries, or have a member of their own beside the filter. */
const NOT_HERE = ["limit", "cursor", "order", "sort", "min_size", "after_index", "before_index", "from", "to"];

/** Reads a filter as a list reads its parameters; `text` is its one spelling, which a list reads again. */
export function readSentFilter({ filter, from, to }: SentFilter): Result<{ filter: EntryFilter; text: string }> {
  const params = new URLSearchParams();
  const errors: MemberError[] = [];
  for (const [name, values] of Object.entries(filter ?? {})) {
    if (NOT_HERE.includes(name)) errors.push({ pointer: `/filter/${name}`, message: "chooses no entries here" });
    for (const value of [values].flat()) params.append(name, value);
  }
  if (from !== undefined && from !== null) params.append("from", from);
  if (to !== undefined && to !== null) params.append("to", to);
  const parsed = parseListQuery(params);
  if (!parsed.ok) {
    const own = (pointer: string) => (pointer === "/from" || pointer === "/to" ? pointer : `/filter${pointer}`);
    errors.push(...(parsed.refusal.errors ?? []).map((error) => ({ ...error, pointer: own(error.pointer) })));
  }
  const [first] = errors;
  if (first !== undefined) return refuse("invalid_request", `${first.pointer}: ${first.message}.`, { errors });
  return parsed.ok ? ok({ filter: parsed.value.filter, text: parsed.value.text }) : parsed;
}
