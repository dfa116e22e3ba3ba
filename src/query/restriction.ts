import type { ReadGrant } from "../schema/ledger.ts";
import { type Clause, type EntryFilter, pairOf } from "../store/match.ts";

/** A filter with what its reader is restricted to: for this reader no entry outside exists. */
export function restricted(filter: EntryFilter, { restriction }: Pick<ReadGrant, "restriction">): EntryFilter {
  if (restriction === null) return filter;
  const { target, categories } = restriction;
  const demands: Clause[] = [];
  if (target !== undefined) demands.push({ field: "about", values: [pairOf(target)], exclude: false });
  if (categories !== undefined) demands.push({ field: "category", values: categories, exclude: false });
  return [...filter, ...demands];
}
