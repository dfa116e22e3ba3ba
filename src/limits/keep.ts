/** Keeping and letting go: causes of absence, legal holds, retention. */

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

/**
 * What a removal has not done yet, a sample of the stores takes for late, not for wrong: as long as something was done for it within a day. Jobs try again
 * every ten minutes at most.
 */
export const REMOVAL_LATE_MS = 86_400_000;
/** For how long a ledger remembers one that stands still: a day more than its storage can be set back. */
export const REMOVAL_FORGOTTEN_MS = 31 * 86_400_000;
/** Lists of removals that a ledger reads when it starts, of ABSENCE_LIST_MAX_BYTES each: with more, what R2 has of its whole log is listed, 1,000 segments a call. */
export const RETAKE_MAX_LISTS = 50;
/**
 * Entries of an earlier log leave R2 after the ledger's word, a segment at a time: a put and a delete, well under a second; so do messages and findings,
 * some twenty at a time. For as long a new hold waits, at most a minute; what would go when half of that is over is left to the next step, which asks the holds again.
 */
export const HOLD_WAIT_MS = 60_000;

// ---- Holds ---------------------------------------------------------------------------------------------------------

/** Holds that stand at once in one org: each entry that has expired is asked by each of them, about 2 µs once it is open. */
export const HOLDS_MAX_STANDING = 100;
/** Released ones that lists still show; the log keeps all. */
export const HOLDS_RELEASED_MAX_SHOWN = 100;

// ---- Retention -----------------------------------------------------------------------------------------------------

/** A hundred years: the date an entry is kept until has a year of four digits whatever the policy says. */
export const RETENTION_MAX_DAYS = 36_525;
/** Rules of a policy: each event that is appended is asked by each until one fits; 100 of the longest are 23 kB of settings. */
export const RETENTION_MAX_RULES = 100;
/** What one step of a run goes on finding for; a segment of 1,000 entries is read and opened in 30 ms. */
export const RETENTION_STEP_MS = 1_500;
/** Days whose counters one step keeps: five at once, three statements each in one batch a placement, and an object in R2. */
export const RETENTION_STEP_DAYS = 50;
/** Of 20,000 rows each at worst, 25 MB. */
export const KEPT_DAYS_TOGETHER = 5;
/** Rows that repairs found, of 260 kB at most, one step of a run looks into. */
export const RETENTION_STEP_FINDINGS = 20;
/** Segments a ledger names at once. */
export const RETENTION_PAGE_SEGMENTS = 50;
/** Entries a run that takes nothing names: 100 bytes each in the row of its job. */
export const RETENTION_MAX_SHOWN = 1_000;
/** Counter rows of a day that are kept apart: 2,000 actions, and what they are combined with; about 100 bytes each. */
export const KEPT_DAY_MAX_ROWS = 20_000;

// ---- Erasure -------------------------------------------------------------------------------------------------------

/** Segments one step of a search through a log reads at most: of the 1,000 calls of an alarm. A quiet log has one an entry. */
export const SEARCH_STEP_SEGMENTS = 400;
/** What a list may grow to while it lies in a job's row, of JOB_TEXT_MAX_BYTES with its line ends escaped: 30,000 sections. */
export const ERASURE_LIST_MAX_CHARACTERS = 900_000;
/**
 * Names and addresses one subject is looked for by in what the service says of its own, and how long each is: 1,200 bytes of JSON at worst, so
 * that a job's row holds them all beside its list. A trace is asked for each of them: 200 cost 50 µs.
 */
export const ERASURE_MAX_NAMES = 200;
export const ERASURE_NAME_MAX_CHARACTERS = 200;
/** Names a request gives. */
export const ERASURE_MAX_NAMES_ASKED = 50;
/** Entries under hold that a certificate names. */
export const ERASURE_HELD_MAX_SHOWN = 100;
/** Runs of entries nobody can search any more that a job's row has of each log: 50 bytes each. */
export const ERASURE_MAX_RUNS = 1_000;
/** Dead letters, or pieces of evidence, that one step looks into: 128 kB each at most. */
export const ERASURE_STEP_OBJECTS = 20;
