import { ok, refuse, type Result } from "../errors.ts";
import { parseListQuery } from "../query/query.ts";
import type { NewHold } from "../schema/hold.ts";
import type { EntryFilter } from "../store/match.ts";

/** A filter as it is sent in a body, with the stretch of time beside it. */
export type SentFilter = Pick<NewHold, "filter" | "from" | "to">;

/** What of a list's parameters is no filter: where one stands in a walk, and what stands beside the filter. */
const NO_FILTER = ["order", "limit", "cursor", "min_size", "after_index", "before_index", "from", "to"];

/** Reads a filter as a list reads its parameters; `text` is its one spelling, which the same function reads again. */
export function readFilter({ filter = {}, from, to }: SentFilter): Result<{ filter: EntryFilter; text: string }> {
  const params = new URLSearchParams();
  for (const [name, values] of Object.entries(filter)) {
    if (NO_FILTER.includes(name)) {
      const message = "is no filter: it stands beside the filter, if it may be given";
      return refuse("invalid_request", `filter: ${name} ${message}.`, {
        errors: [{ pointer: `/filter/${name}`, message }],
      });
    }
    for (const value of [values].flat()) params.append(name, value);
  }
  if (from !== undefined) params.set("from", from);
  if (to !== undefined) params.set("to", to);
  const read = parseListQuery(params);
  if (read.ok) return ok({ filter: read.value.filter, text: read.value.text });
  const { refusal } = read;
  const errors = (refusal.errors ?? []).map(({ pointer, message }) => ({ pointer: `/filter${pointer}`, message }));
  return { ok: false, refusal: { ...refusal, detail: `filter: ${refusal.detail}`, errors } };
}
