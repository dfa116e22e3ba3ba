import { assert } from "../errors.ts";
import { CELL_MAX_ORG_NUMBERS, LOG_MAX_ENTRIES } from "../limits.ts";

/** Entries of `log` from `first_index` on, until its next placement, lie in `cell` (a binding's name) under `org_number`. */
export type Placement = { org: string; log: string; first_index: number; cell: string; org_number: number };

/** The part of a placement that a query needs. */
export type Place = Pick<Placement, "org_number">;

/** Where an entry lies in a cell: `org_number * 2^32 + index`, under 2^53. */
export function keyOf(orgNumber: number, index: number): number {
  assertOrgNumber(orgNumber);
  assert(Number.isSafeInteger(index) && index >= 0 && index < LOG_MAX_ENTRIES, "an index is under 2^32");
  return orgNumber * LOG_MAX_ENTRIES + index;
}

/**
 * The keys of the indexes `[from, to)` of one org, as `[low, high)`. Every query of a cell is bounded by it, so none can
 * reach into another org's range, whatever its caller was asked for.
 */
export function rangeOf(orgNumber: number, from: number, to: number): { low: number; high: number } {
  assertOrgNumber(orgNumber);
  assert(Number.isSafeInteger(from) && from >= 0 && from <= LOG_MAX_ENTRIES, "a range begins at an index");
  assert(Number.isSafeInteger(to) && to >= 0 && to <= LOG_MAX_ENTRIES, "a range ends at an index or after the last");
  const base = orgNumber * LOG_MAX_ENTRIES;
  return { low: base + Math.min(from, to), high: base + to };
}

/** The index of a row read under `orgNumber`; a key outside that org's range is a broken invariant. */
export function indexOf(orgNumber: number, key: number): number {
  const index = key - orgNumber * LOG_MAX_ENTRIES;
  assert(index >= 0 && index < LOG_MAX_ENTRIES, "a row read lies in the range asked for");
  return index;
}

function assertOrgNumber(orgNumber: number): void {
  assert(
    Number.isSafeInteger(orgNumber) && orgNumber >= 0 && orgNumber < CELL_MAX_ORG_NUMBERS,
    "an org number is under 2^21",
  );
}
