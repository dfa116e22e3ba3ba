/** Long work of an org, done in bounded steps beside its ledger. */

/** After this long a step is given up and made again: it hangs, for its stores answer or fail within 30 s each. */
export const JOB_STEP_MAX_MS = 120_000;
/** A step that failed is made again after this, doubled each time: ten minutes are reached with the tenth. */
export const JOB_RETRY_MIN_MS = 2_000;
export const JOB_RETRY_MAX_MS = 600_000;
/** Unfinished jobs of one kind an org has at most: they share its steps. */
export const JOBS_UNFINISHED_MAX_COUNT = 10;
/** A Durable Object row may hold 2 MB; local workerd does not enforce it, so we do. */
export const JOB_TEXT_MAX_BYTES = 1_500_000;
/** Jobs of a list: with 1.5 MB of progress each they fit the 32 MB of a call. */
export const JOBS_PAGE_ENTRIES = 20;
/** Orgs with unfinished jobs that a run of the cron knocks at, the longest silent first: of the 1,000 calls it may make. */
export const JOBS_WAKE_ORGS_PER_RUN = 100;

// ---- Exports -------------------------------------------------------------------------------------------------------

/** A step reads for this long: a cancel, and the jobs beside it, wait no longer. */
export const EXPORT_STEP_MS = 2_000;
/** Segments it takes at most: of the 1,000 calls of an alarm. */
export const EXPORT_STEP_MAX_SEGMENTS = 500;
/** As many of them one that is lost counts as: it is read once, and its name is asked for anew. */
export const EXPORT_LOST_SEGMENTS = 2;
/** For so long in all an export waits for segments that are not as they were stored: an operator may bring them back. */
export const EXPORT_LOST_WAIT_MS = 3_600_000;
/** It looks again after this, then each time after as long as it has waited, every ten minutes at least. */
export const EXPORT_LOST_LOOK_MS = 60_000;
export const EXPORT_LOST_LOOK_MAX_MS = 600_000;
/** Runs of lost entries that an export names, of 45 bytes each in its job's row; of more it says how many entries they are. */
export const EXPORT_MISSING_MAX_RUNS = 1_000;
/** Of these so many stand in lists of exports, and in the entry that says that one was made. */
export const EXPORT_MISSING_SHOWN_RUNS = 20;
/** A part in memory: its text and its bytes beside a segment of 16 MB at worst, of the 128 MB an object has. */
export const EXPORT_PART_MAX_BYTES = 8_000_000;
/**
 * A part that is shorter is gone on with, as a step may find little: the segments of a quiet log hold an entry each, and a filter
 * may leave few. It is read and put again by each step, 4 MB at most.
 */
export const EXPORT_PART_MIN_BYTES = 4_000_000;
/** The longest line: a record of 260 kB with a proof of 33 hashes of 47 characters; as CSV half as long again, for its quotes. */
export const EXPORT_LINE_MAX_BYTES = 800_000;
/** 20 to 40 GB. Each part is 130 bytes of a manifest and of a job's row, which takes 1.5 MB. */
export const EXPORT_MAX_PARTS = 5_000;
/** Parts one answer is made of, 3.6 to 7.2 GB: each is a call to R2, of the 1,000 a request has. */
export const DOWNLOAD_MAX_PARTS = 900;
/** How long a download link begins to answer. */
export const EXPORT_LINK_SECONDS = 900;
/** Days the files of an export are kept, unless EXPORT_KEEP_DAYS says otherwise: copies of what may expire or be erased. */
export const EXPORT_KEEP_DAYS = 30;
export const EXPORT_KEEP_DAYS_MAX = 400;
/** Rows from which on an export is flagged for review, unless the org says otherwise. */
export const LARGE_EXPORT_ROWS = 10_000;
/** Segments named by one call to the ledger. */
export const EXPORT_SEGMENTS_COUNT = 100;
/** Read from R2 at once, when they are small: 64 entries are 16 MB at worst, as one segment is. */
export const READ_TOGETHER_SEGMENTS = 8;
export const READ_TOGETHER_MAX_ENTRIES = 64;
/** R2 deletes this many objects in one operation. */
export const R2_DELETE_MAX_KEYS = 1_000;
