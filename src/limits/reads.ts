/** The switch that stops reading, verification on record, quarantines. */

/**
 * Closed or open, the deployment's switch holds within 5 s everywhere. An isolate asks again 2 s after it asked last; while
 * nobody answers, what it knew serves until 4 s after that was asked, which leaves a second for an answer to go out.
 */
export const READS_SWITCH_FRESH_MS = 2_000;
export const READS_SWITCH_STALE_MS = 4_000;
/** How long the answer is waited for: as long as a ledger's start, STARTUP_COMPARE_MS. */
export const READS_SWITCH_ASK_MS = 2_000;
/** Between an org's row in the directory and its ledger lie two calls: longer than this it has taken when one broke off. */
export const ORG_CREATION_MAX_MS = 60_000;
/** What a refused reader is told to wait: opening takes people. */
export const READS_CLOSED_RETRY_SECONDS = 60;
/** How long a wish to open in spite of breaks waits for a second key. */
export const OPEN_WISH_MS = 24 * 3_600_000;
/** Verified ranges on record for one org: what a walk ends is merged, so there are more only where runs left gaps. */
export const VERIFIED_MAX_RANGES = 256;
/** Quarantines that stand at once in one org: every reader's grant carries them, 100 bytes each. */
export const QUARANTINES_MAX_STANDING = 100;
/** Released ones that lists still show, and notes shown with one; the log keeps all. */
export const QUARANTINES_RELEASED_MAX_SHOWN = 100;
export const QUARANTINE_NOTES_MAX_SHOWN = 20;
