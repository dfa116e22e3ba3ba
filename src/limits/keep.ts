/** Keeping and letting go. */

/**
 * Entries one cause lets something go of: a larger work has several causes. The list is read whole by who carries it out and
 * by who checks it: 20,000 entries of 9 sections are 3 MB.
 */
export const ABSENCE_LIST_MAX_ENTRIES = 20_000;
export const ABSENCE_LIST_MAX_BYTES = 4_000_000;
/** How long one step waits for entries to be in D1 before it is tried again. */
export const REMOVE_WAIT_MS = 10_000;
/** How long one step goes on taking segments; a segment of 1,000 entries takes about 100 ms. */
export const REMOVE_STEP_MS = 1_500;
/** Objects one step looks at, each some milliseconds. */
export const REMOVE_STEP_SEGMENTS = 20;
/** Pages of a search index that one step writes anew: 4 kB each, 8 MB, under a second. */
export const TERMS_MERGE_PAGES = 2_000;
