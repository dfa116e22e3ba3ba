import type { ReadGrant } from "../schema/ledger.ts";
import { TOKEN_ISSUED_ACTION } from "../schema/names.ts";
import { type Clause, type EntryFilter, pairOf } from "../store/match.ts";

/** All but the entries that a viewer token was minted: they name what it is restricted to, and are not about it. */
export const NO_MINTING: Clause = { field: "action", values: [TOKEN_ISSUED_ACTION], exclude: true };

/** A filter with what its reader is restricted to: for this reader no entry outside exists. */
export function restricted(filter: EntryFilter, { restriction }: Pick<ReadGrant, "restriction">): EntryFilter {
  if (restriction === null) return filter;
  const { target, categories } = restriction;
  const demands: Clause[] = [];
  // Who may see one thing is not told who else looks at it.
  if (target !== undefined) demands.push({ field: "about", values: [pairOf(target)], exclude: false }, NO_MINTING);
  if (categories !== undefined) demands.push({ field: "category", values: categories, exclude: false });
  return [...filter, ...demands];
}
