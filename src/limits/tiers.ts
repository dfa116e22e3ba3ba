/** Tiers: when a month leaves D1, how that is proven, and how its entries are read from R2. */

/** Days an entry stays in D1 at least; a month leaves as a whole, so up to 31 more. */
export const HOT_DAYS = 90;
/**
 * 400 days reach back over 14 months at most, the current one among them; a ledger's clock that is ahead may begin one more.
 * The ring has 16 slots: a month has left before its slot is needed again.
 */
export const HOT_DAYS_MAX = 400;
/**
 * Segments one step of cooling reads: 32 MB of lines as a rule, one at a time in memory, about 150 ms each to open every
 * section of 1,000 entries.
 */
export const COOL_STEP_MAX_SEGMENTS = 8;
/**
 * Logs of a slot that one sweep, of one an hour, sets to work, each by a job of its org: 2,400 a day in each cell, and 200 calls of the
 * 1,000 that one run of a Worker has.
 */
export const COOL_LOGS_PER_RUN = 100;
export const COOL_ORGS_AT_ONCE = 10;
export const COOL_SWEEP_MINUTES = 60;
/**
 * What one page reads from R2: segments of up to 4 MB, one in memory at a time. 16 reads cost $0.0000058; to open 1,000 entries
 * takes about 100 ms, so time ends most pages that find little.
 */
export const COLD_PAGE_MAX_SEGMENTS = 16;
export const COLD_PAGE_MAX_MS = 1_000;
