import { expect } from "vitest";
import { listEntries, type ListOptions, type Row } from "../../src/store/list-entries.ts";
import type { Clause, EntryFilter, ValueField } from "../../src/store/match.ts";
import { monthOf } from "../../src/store/slot.ts";
import type { TestLog } from "./cells.ts";

const NOW = "2026-11-21T18:00:00.000Z";
/** September to November 2026. */
export const MONTHS = { from: monthOf("2026-09-01T00:00:00.000Z"), to: monthOf(NOW) };
/** A filter as a test writes it: any of the values of each member, and when it happened. */
export type Wanted = { [field in ValueField]?: string[] } & { from?: number; to?: number };
type Options = Partial<Omit<ListOptions, "filter">> & { filter?: Wanted };
type Range = { low?: number; high?: number; months?: typeof MONTHS };

export function filterOf({ from, to, ...values }: Wanted): EntryFilter {
  const clauses = Object.entries(values).map(
    ([field, all]): Clause => ({ field: field as ValueField, values: all, exclude: false }),
  );
  if (from !== undefined) clauses.push({ field: "from", at: from });
  if (to !== undefined) clauses.push({ field: "to", at: to });
  return clauses;
}

/** One page, with limits nobody meets unless told. */
export function list(log: TestLog, options: Options = {}, range: Range = {}) {
  const { low = 0, high = 2 ** 32, months = MONTHS } = range;
  return listEntries(
    log.cell,
    { placement: log, low, high, months },
    {
      ...{ termKey: log.termKey, personal: true, order: "desc", limit: 1_000, max_bytes: 10 ** 7 },
      ...{ deadline_ms: Date.now() + 60_000, max_postings: 2 ** 18 },
      ...options,
      filter: filterOf(options.filter ?? {}),
    },
  );
}

/** All pages of a walk, in order, and how many there were. */
export async function walk(log: TestLog, options: Options, range: Range = {}): Promise<{ rows: Row[]; pages: number }> {
  let { low = 0, high = 2 ** 32 } = range;
  const rows: Row[] = [];
  for (let pages = 1; ; pages++) {
    const page = await list(log, options, { ...range, low, high });
    rows.push(...page.rows);
    if (page.reached === null) return { rows, pages };
    if (options.order === "asc") {
      expect(page.reached).toBeGreaterThanOrEqual(low);
      low = page.reached + 1;
    } else {
      expect(page.reached).toBeLessThan(high);
      high = page.reached;
    }
  }
}

export const indexes = (rows: readonly Row[]) => rows.map(({ index }) => index);
