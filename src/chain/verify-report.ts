/** The kinds of break that need no checkpoint. Their meaning, with a vector each, is in `docs/format.md`. */
export type BreakKind =
  | "leaf_changed"
  | "link_broken"
  | "content_changed"
  | "reordered"
  | "extra"
  | "duplicate_index"
  | "misrouted"
  | "missing"
  | "leaf_malformed"
  | "section_malformed"
  | "unexplained_gap";

/**
 * One break. `index` is the entry it is about; for `reordered` that is the entry whose leaf lies at `found_at`. For
 * `extra`, `duplicate_index` and `misrouted` it is where the row lies. `expected` and `actual` are hashes or names.
 */
export type Break = {
  kind: BreakKind;
  index: number;
  section?: string;
  found_at?: number;
  expected?: string;
  actual?: string;
  detail: string;
};

/**
 * What a walk found in `from … size-1`. `checked` counts indexes that had a row. Every index walked is vouched for, or
 * named in `breaks`, `unvouched` (inclusive runs, oldest first) or `could_not_check`. `ok` says that the whole range was walked, all of
 * it is vouched for and nothing is broken. `stopped_at` is the index at which too many breaks ended the walk.
 */
export type Report = {
  ok: boolean;
  checked: number;
  from: number;
  size: number;
  breaks: Break[];
  unvouched: { from: number; to: number }[];
  absent: { erased: number; expired: number; withheld: number };
  could_not_check: { index: number; why: string }[];
  stopped_at: number | null;
};
