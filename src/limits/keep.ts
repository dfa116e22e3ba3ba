/** Keeping and letting go. */

/**
 * Entries one cause lets something go of: a larger work has several causes. The list is read whole by who carries it out and
 * by who checks it: 20,000 entries of 9 sections are 3 MB.
 */
export const ABSENCE_LIST_MAX_ENTRIES = 20_000;
export const ABSENCE_LIST_MAX_BYTES = 4_000_000;
