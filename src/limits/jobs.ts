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
export const JOBS_PAGE_ENTRIES = 100;
/** Orgs with unfinished jobs that a run of the cron knocks at, the longest silent first: of the 1,000 calls it may make. */
export const JOBS_WAKE_ORGS_PER_RUN = 100;
