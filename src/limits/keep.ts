/** Legal holds and retention. */

// ---- Holds ---------------------------------------------------------------------------------------------------------

/** Holds that stand at once in one org: each entry that has expired is asked by each of them, about 2 µs once it is open. */
export const HOLDS_MAX_STANDING = 100;
/** Released ones that lists still show; the log keeps all. */
export const HOLDS_RELEASED_MAX_SHOWN = 100;
