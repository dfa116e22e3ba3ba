/** Bounds of the command, with the number each comes from; those of the service are in `src/limits.ts`. */

/** Half of what one append may carry, so that two requests in flight fit one gather of the ledger. */
export const IMPORT_BATCH_MAX_EVENTS = 500;
export const IMPORT_BATCH_MAX_BYTES = 2_000_000;
/** Enough to hide one round trip behind another; more only lengthens the ledger's queue. */
export const IMPORT_IN_FLIGHT = 4;
/** Batches between the oldest unanswered one and the newest sent: what an import holds in memory is this many. */
export const IMPORT_WINDOW_BATCHES = 12;
/** A record longer than this is scanned past, not held: 80 times what an event may hold. */
export const IMPORT_RECORD_MAX_BYTES = 8_000_000;
export const IMPORT_BACK_OFF_MIN_MS = 500;
export const IMPORT_BACK_OFF_MAX_MS = 30_000;
export const IMPORT_ANSWER_MAX_MS = 120_000;
export const IMPORT_GIVE_UP_MINUTES = 10;

/** A report of the service names VERIFY_MAX_BREAKS breaks, each well under a kilobyte, and as many runs of entries. */
export const REPORT_LINE_MAX_CHARACTERS = 4_000_000;

/** What an export asks of the service may be 8 MB over a slow line. */
export const EXPORT_ANSWER_MAX_MS = 300_000;
export const EXPORT_GIVE_UP_MINUTES = 10;
export const EXPORT_POLL_MS = 1_000;
/** A link with less than this left is asked for anew, so that a part does not begin when it ends. */
export const EXPORT_LINK_SPARE_MS = 60_000;
/** Files of a mirror under way at once: each costs a round trip, and 50 a second is what a key may ask. */
export const MIRROR_AT_ONCE = 8;
