/** What counts and histories may cost. */

/** Counter rows one question reads of a log's cell: 0.4 s of D1. An org with 300 different ones a day asks for two years. */
export const COUNTED_MAX_ROWS = 250_000;
/** Groups one question sums: five months of COUNTER_MAX_ACTIONS that never recur, 300 bytes each in memory. */
export const COUNTED_MAX_GROUPS = 10_000;
/** Groups one answer names, those with most entries; the others are counted. Three years of days. */
export const STATS_MAX_GROUPS = 1_000;
/** Entries a question by actor reads, each opened and written: half a millisecond an entry at worst, 2.5 s in all. Bytes of their JSON. */
export const STATS_ACTOR_MAX_ENTRIES = 5_000;
export const STATS_ACTOR_MAX_BYTES = 20_000_000;
/** Pages they are read in: of hot entries 20 suffice, of cold ones each is COLD_PAGE_MAX_SEGMENTS calls of the 1,000 a request has. */
export const STATS_ACTOR_MAX_PAGES = 30;
/** Groups of action names that look alike which one inventory points at. */
export const NAMING_DRIFT_MAX_COUNT = 100;
/** A history from which a thing is rebuilt: entries, bytes of their JSON, and time after which no further page is read. */
export const HISTORY_STATE_MAX_ENTRIES = 1_000;
export const HISTORY_STATE_MAX_BYTES = 4_000_000;
export const HISTORY_STATE_MAX_MS = 1_000;
