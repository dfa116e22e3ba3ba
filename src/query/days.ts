import { instantOf } from "../schema/names.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import type { Days } from "../store/read-counters.ts";

const DAY_PATTERN = /^\d{4}-\d\d-\d\d$/;
const FIRST_MS = Date.parse("0000-01-01T00:00:00Z");
const LAST_MS = Date.parse("9999-12-31T00:00:00Z");

/** The UTC day of an RFC 3339 time, or a day given as such; null when a text is neither. */
export function dayOf(text: string): string | null {
  // A "+" of an offset arrives as a space when it was not escaped.
  const instant = instantOf(DAY_PATTERN.test(text) ? `${text}T00:00:00Z` : text.replace(" ", "+"));
  return instant === null ? null : dayAt(instant);
}

/** The whole days a question covers: an open end reaches to the org's creation, or to today by the later of both clocks. */
export function daysOf({ from, to }: { from: string | null; to: string | null }, grant: ReadGrant): Days {
  const created = grant.earlier.at(-1)?.created_at ?? grant.created_at;
  return {
    from: from ?? dayAt(Date.parse(created)),
    to: to ?? dayAt(Math.max(Date.parse(grant.head_at), Date.now())),
  };
}

function dayAt(instant: number): string {
  return new Date(Math.min(Math.max(instant, FIRST_MS), LAST_MS)).toISOString().slice(0, 10);
}
