/** The ledger: gathering, backlog, read sessions, restoring. */

/** Appends that arrive within this time share one transaction: 1,900/s one by one, 4,900/s gathered (measured). */
export const GATHER_MS = 2;
export const GATHER_MAX_EVENTS = 1_000;
export const GATHER_MAX_BYTES = 4_000_000;
export const GATHER_MAX_CALLERS = 256;
/** Appends of an isolate that share one call to a ledger, 4 MB of text at most; a larger one gains nothing by it. */
export const SHARED_MAX_CALLERS = 256;
export const SHARED_MAX_CHARACTERS = 15_625;
/** After this long an append that shares a call asks by itself; longer than a ledger's start, STARTUP_COMPARE_MS. */
export const SHARED_WAIT_MAX_MS = 5_000;
/** A Durable Object row may hold 2 MB; local workerd does not enforce it, so we do. */
export const STAGED_ROW_MAX_BYTES = 1_500_000;
/** A fifth of the object's 10 GB: room for receipts, which never go. */
export const BACKLOG_MAX_BYTES = 2_000_000_000;
export const BACKLOG_MAX_ENTRIES = 1_000_000;
/** Reads are refused at this share of the backlog, so that an append never is because of them. */
export const BACKLOG_READ_SHARE = 0.9;
export const CLOCK_AHEAD_MAX_MS = 5_000;
export const STARTUP_COMPARE_MS = 2_000;
/** How long a call waits for a rewound ledger to roll forward; a million entries take minutes. */
export const RESTORE_WAIT_MS = 5_000;
/** Rows read from D1 at once to roll forward: 26 MB of the largest records. */
export const RESTORE_PAGE_ENTRIES = 100;
export const ORG_MAX_KEYS = 500;
export const READ_SESSION_IDLE_MS = 15 * 60_000;
export const READ_SESSION_MAX_MS = 24 * 3_600_000;
export const REFUSALS_SEAL_MS = 3_600_000;
