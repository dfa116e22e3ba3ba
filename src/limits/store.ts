/** What the ledger does behind an acknowledgement: projection, archive, publishing; and what D1 and R2 take. */

/** One D1 batch: 500 entries bound as two JSON parameters, well under D1's 30 s and 100 MB. */
export const PROJECT_MAX_ENTRIES = 500;
export const PROJECT_MAX_BYTES = 4_000_000;
/**
 * Small batches begin this far apart: a D1 batch has a price of its own (about 2 ms locally, a fence and counter rows
 * everywhere), so what arrives meanwhile shares one. A reader who waits, or a full batch, ends the pause.
 */
export const PROJECT_PAUSE_MS = 250;
export const PROJECT_RETRY_MIN_MS = 1_000;
export const PROJECT_RETRY_MAX_MS = 60_000;
export const SEGMENT_MAX_ENTRIES = 1_000;
export const SEGMENT_MAX_BYTES = 4_000_000;
/** What is read as a segment, packed or not: four times what is written, and no more than memory takes. */
export const SEGMENT_READ_MAX_BYTES = 16_000_000;
export const SEGMENT_MAX_AGE_MS = 60_000;
/** Objects tried for one segment when those before hold other bytes: one digit of a name. */
export const SEGMENT_MAX_COPIES = 9;
/** Up to this much, archiving waits for projection: readers wait for that, nobody for a segment. */
export const ARCHIVE_PATIENT_BYTES = 32_000_000;
/**
 * Checkpoints of a log that gains 256 entries (a tile) or more begin this far apart: each costs about four puts, $18 a
 * million, so a log that is busy all day pays $0.31. Below that a checkpoint comes this long after its first entry.
 */
export const PUBLISH_BUSY_MS = 5_000;
export const PUBLISH_QUIET_MS = 60_000;
/** Entries one checkpoint adds at most: their leaves, 50 MB at worst and 3 MB as a rule, are in memory. */
export const PUBLISH_MAX_ENTRIES = 4_096;
export const PUBLISH_RETRY_MS = 15_000;
/** How often R2 is asked whether what contradicts a log is gone. */
export const PUBLISH_CONFLICT_RETRY_MS = 600_000;
/** How long a checkpoint or a proof of a new entry is waited for. */
export const PUBLISH_WAIT_MAX_MS = 5_000;
/** After this long without an answer from R2 a put is given up and made again: what arrives later is the same bytes. */
export const R2_ANSWER_MS = 30_000;
/** What one list operation of R2 names: more than the segments of a whole backlog, so that a rewound ledger sees its end. */
export const R2_LIST_MAX_KEYS = 1_000;
/** The platform opens six connections at once for one object. */
export const PUBLISH_PUTS = 6;
/** Archived entries that stay staged for the next checkpoint: what a log of 3,000 entries a second gains in 5 s. */
export const TREE_KEPT_MAX_ENTRIES = 16_384;
/** With more than this staged only the open tile's entries stay; far below BACKLOG_MAX_BYTES, so that appends go on. */
export const TREE_KEPT_MAX_BYTES = 256_000_000;
/** D1 ends at 10 GB; a cell this full takes no new ranges. */
export const CELL_FULL_BYTES = 8_000_000_000;
/** Months that fit the ring of slots. */
export const SLOT_COUNT = 16;
/** Words of free text indexed for one entry (and as many of its personal sections), and the longest word kept whole. */
export const ENTRY_MAX_WORDS = 256;
/** Values and parts of a query that a trace is found by: 8 filters of 20 values, twice, and a long search string. */
export const QUOTED_MAX_COUNT = 500;
export const WORD_MAX_CHARACTERS = 64;
export const COUNTER_MAX_ACTIONS = 2_000;
export const COUNTER_MAX_TARGET_TYPES = 500;
/** Actions with each of their versions that a log's cell remembers the days of: all that one chunk of a rebuild deletes. */
export const ACTION_SEEN_MAX_ROWS = 4_000;
export const DELETE_CHUNK_ROWS = 5_000;
/** D1 takes no string over 2 MB; local workerd does not enforce it, so we do. A record line is under 260 kB. */
export const D1_PARAMETER_MAX_BYTES = 1_500_000;
/** Months of orgs whose counted names an isolate remembers: 2,500 names of 50 bytes each at worst, 8 MB. */
export const COUNTER_KNOWN_MONTHS_MAX_COUNT = 64;
/** Logs whose seen actions an isolate remembers: 4,000 names of 60 bytes each at worst, 8 MB. */
export const ACTION_SEEN_KNOWN_LOGS_MAX_COUNT = 32;
/** Search tokens an org's key remembers of each kind that recurs: about 200 bytes each, a dozen kinds. */
export const TOKENS_MAX_COUNT = 512;
/** Texts whose tokens an org's key remembers, personal ones and others: names, user agents. 4 kB each at worst, 600 bytes as a rule. */
export const TEXTS_MAX_COUNT = 512;
export const TEXT_KEPT_MAX_CHARACTERS = 200;
/** Orgs whose keys to search tokens an isolate that lists remembers: each with two such caches at worst, 26 MB in all. */
export const TERM_KEYS_MAX_COUNT = 32;
/** Rows one read for verification takes from a slot. */
export const READ_MAX_ROWS = 10_000;

// ---- Witnesses ------------------------------------------------------------------------------------------------

/** Witnesses a deployment asks: each costs a request and a row a checkpoint. */
export const WITNESSES_MAX_COUNT = 8;
/** How long one may take; publishing does not wait for it. */
export const WITNESS_TIMEOUT_MS = 5_000;
/** A cosignature line is 150 bytes and a name; some answer with several. */
export const WITNESS_ANSWER_MAX_BYTES = 16_384;
/** When one that did not answer is asked again if no checkpoint comes before; doubled each time. */
export const WITNESS_RETRY_MIN_MS = 60_000;
export const WITNESS_RETRY_MAX_MS = 3_600_000;
