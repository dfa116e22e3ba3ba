/** What looks after entries being where they belong: canaries, and a sample of each org. */

/** Its newest entries that a round of a canary compares in all stores: ten minutes of its own, at worst as many segments. */
export const CANARY_COMPARED_ENTRIES = 16;
/** What was appended this long ago has to be readable; past that, a canary is late. */
export const CANARY_READ_MINUTES = 1;
/** The same for what waits for a segment or a checkpoint: a minute for each, and one to spare. */
export const CANARY_PROVED_MINUTES = 4;
/**
 * What is asked this often is a read of its own each time, opened and closed, so two entries: a question that is new, and
 * one that waited READ_SESSION_IDLE_MS. Eight such are 960 entries a day beside 1,440 events. Each has a minute of its own, so
 * that a round asks for one of them.
 */
export const CANARY_ASK_MINUTES = 24;
/** What happens to one thing: its state is rebuilt from as many entries, of HISTORY_STATE_MAX_ENTRIES. */
export const CANARY_THING_MINUTES = 60;
/** One path, or one append, of a canary: five and one a round, two looks at the ledger and the comparison take 42 s at worst. */
export const CANARY_PATH_MAX_MS = 4_000;
export const CANARY_COMPARE_MAX_MS = 10_000;
/** A round that is not done by then leaves the rest to the next: a cron begins each minute. */
export const CANARY_ROUND_MAX_MS = 45_000;

/** Entries of an org compared once a day: at worst two segments, and 25 MB of lines. */
export const SAMPLE_ENTRIES = 100;
/**
 * Orgs whose turn it is in one run of the cron, of 1,440 a day: 28,800 a day, more get theirs every other day. Each makes about
 * fifteen calls of the 1,000 an invocation has: it is sampled, and its run of retention begins.
 */
export const TURN_ORGS_PER_RUN = 20;
/** Of those, at once: each may hold a segment of 16 MB, of the 128 MB an isolate has. */
export const SAMPLE_ORGS_AT_ONCE = 4;
/** Five such turns take less than the two minutes after which nobody waits for a cron any more. */
export const SAMPLE_MAX_MS = 20_000;
/** Rows where none belongs that are looked at in one place: a few are enough to say so. */
export const STRAY_MAX_BYTES = 100_000;
