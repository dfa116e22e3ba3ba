/**
 * Every bound of the service, with the number it comes from. Unit last in the name.
 * A limit a caller can meet stands, with its number, in the message that refuses.
 */

// ---- An event -------------------------------------------------------------------------------------------------

/** One queue message (128,000 bytes with its envelope) and one D1 row (2 MB with salts) hold any event. */
export const EVENT_MAX_BYTES = 100_000;
/** Deep enough for any real event; keeps every recursive reader far from its stack. */
export const EVENT_MAX_DEPTH = 64;
/** 50 targets with two sections each keep the leaf under LEAF_MAX_BYTES. */
export const EVENT_MAX_TARGETS = 50;
export const ACTION_MAX_CHARACTERS = 200;
export const ACTION_MAX_PARTS = 8;
export const LABEL_MAX_CHARACTERS = 100;
export const ID_MAX_CHARACTERS = 200;
export const CHANGED_FIELDS_MAX_COUNT = 1_000;
export const EVENT_VERSION_MAX = 1_000_000;

// ---- A leaf and a log -----------------------------------------------------------------------------------------

/** 105 sections of 70 bytes and the fixed members: 7.9 kB; the rest is room for a long origin. */
export const LEAF_MAX_BYTES = 12_288;
export const ORIGIN_MAX_BYTES = 255;
/** An org's name has three characters or more, so that `/2` to `/99` after an origin can only be numbers of its logs. */
export const ORG_MAX_LOGS = 99;
/** D1 keys are `org_number * 2^32 + index`. */
export const LOG_MAX_ENTRIES = 2 ** 32;
/** 2^21 orgs a cell keep every key under 2^53. */
export const CELL_MAX_ORG_NUMBERS = 2 ** 21;

// ---- Notes and proofs -----------------------------------------------------------------------------------------

/** C2SP signed-note wants 16 at least; a log has one or two keys, the rest are witnesses. */
export const NOTE_MAX_SIGNATURES = 64;
/** 64 signatures of the longest type known, 3.3 kB of base64 each, and their names. */
export const NOTE_MAX_BYTES = 262_144;
/** What C2SP tlog-witness takes; in a tree of 2^32 no proof has more than 33. */
export const PROOF_MAX_HASHES = 63;
/** The largest record line, 260,000 bytes, in base64, and a note. */
export const PROOF_MAX_BYTES = 1_000_000;

// ---- A request ------------------------------------------------------------------------------------------------

export const APPEND_MAX_EVENTS = 1_000;
/** One gather of the ledger; also far under the 32 MiB of one RPC call. */
export const APPEND_MAX_BYTES = 4_000_000;
export const JSON_BODY_MAX_BYTES = 65_536;
export const IDEMPOTENCY_KEY_MAX_CHARACTERS = 200;
export const IDEMPOTENCY_KEPT_HOURS = 24;
export const PAGE_MAX_ENTRIES = 1_000;
export const PAGE_DEFAULT_ENTRIES = 100;
/** What one page may carry: 1,000 entries of the largest size would be 100 MB. */
export const PAGE_MAX_BYTES = 4_000_000;
/** Values of one repeated filter. */
export const FILTER_MAX_VALUES = 20;
/** Work of one search request: indexes walked, and time after which the page is closed short. */
export const SEARCH_MAX_POSTINGS = 2 ** 18;
export const SEARCH_MAX_MS = 300;
/** Why somebody reads, kept in the trace. */
export const REASON_MAX_CHARACTERS = 1_000;
/** How long `min_size` and a get by id wait for an entry to be projected. */
export const VISIBLE_WAIT_MAX_MS = 5_000;
/** Entries one verify request checks: about 15 s of CPU at 150 µs an entry, half of the platform's default. */
export const VERIFY_MAX_ENTRIES = 100_000;
/** How long a verification may be silent before another one may begin. */
export const VERIFY_LEASE_MS = 30_000;
export const VERIFY_PAGE_ENTRIES = 1_000;
/** Breaks one report names; past it the report says that it stopped. */
export const VERIFY_MAX_BREAKS = 1_000;
/** Erasures and retention runs a verify walk keeps in memory, 100 bytes each, to judge absent sections by. */
export const VERIFY_MAX_CAUSES = 100_000;

/** Entries one repair call compares: opened, indexed and read twice, about 300 µs each, so half of the default CPU time. */
export const REPAIR_MAX_ENTRIES = 50_000;
/** Rows one repair call mends, and bytes of evidence it holds: each is an object in R2, six at a time. */
export const REPAIR_MAX_ROWS = 500;
export const REPAIR_MAX_BYTES = 16_000_000;
/** Six to twelve statements each, in one D1 batch. */
export const REPAIR_BATCH_ROWS = 25;

// ---- The ledger -----------------------------------------------------------------------------------------------

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
export const READS_PER_KEY_PER_SECOND = 50;
/**
 * Checkpoints, tiles, bundles and bare proofs, for each key or network: a verifier fetches a log of a million entries, 7,813
 * objects, in 40 s. One that is refused waits a second, and has at most 32 questions under way.
 */
export const TREE_READS_PER_SECOND = 200;
/** Readers whose reads are counted, all keys of an org among them: 100 bytes each. */
export const READERS_KEPT_MAX_COUNT = 4_096;
export const READ_SESSION_IDLE_MS = 15 * 60_000;
export const READ_SESSION_MAX_MS = 24 * 3_600_000;
export const REFUSALS_SEAL_MS = 3_600_000;

// ---- Projection and archive -----------------------------------------------------------------------------------

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
/** Words of free text indexed for one entry, and the longest word kept whole. */
export const ENTRY_MAX_WORDS = 256;
export const WORD_MAX_CHARACTERS = 64;
export const COUNTER_MAX_ACTIONS = 2_000;
export const COUNTER_MAX_TARGET_TYPES = 500;
export const DELETE_CHUNK_ROWS = 5_000;
/** D1 takes no string over 2 MB; local workerd does not enforce it, so we do. A record line is under 260 kB. */
export const D1_PARAMETER_MAX_BYTES = 1_500_000;
/** Months of orgs whose counted names an isolate remembers: 2,500 names of 50 bytes each at worst, 8 MB. */
export const COUNTER_KNOWN_MONTHS_MAX_COUNT = 64;
/** Search tokens an org's key remembers of each kind that recurs: about 200 bytes each, a dozen kinds. */
export const TOKENS_MAX_COUNT = 512;
/** Texts whose tokens an org's key remembers, personal ones and others: names, user agents. 4 kB each at worst, 600 bytes as a rule. */
export const TEXTS_MAX_COUNT = 512;
export const TEXT_KEPT_MAX_CHARACTERS = 200;
/** Orgs whose keys to search tokens an isolate that lists remembers: each with two such caches at worst, 26 MB in all. */
export const TERM_KEYS_MAX_COUNT = 32;
/** Rows one read for verification takes from a slot. */
export const READ_MAX_ROWS = 10_000;

// ---- The queue ------------------------------------------------------------------------------------------------

/** Billed per 64 KB; one larger event travels alone. */
export const QUEUE_MESSAGE_BYTES = 60_000;
/** The platform's 128,000 bytes less its own metadata. */
export const QUEUE_MESSAGE_MAX_BYTES = 127_000;
export const QUEUE_SEND_MAX_MESSAGES = 100;
export const QUEUE_SEND_MAX_BYTES = 250_000;
export const QUEUE_ATTEMPTS = 3;
/** Back-off before the second and third attempt. */
export const QUEUE_RETRY_SECONDS = [2, 4] as const;
/** A message that could not even be stored as parked is asked for again after this long. */
export const QUEUE_STORE_RETRY_SECONDS = 30;
export const PARKED_RETRY_MIN_MS = 30_000;
export const PARKED_RETRY_MAX_MS = 3_600_000;

// ---- Keys and caches ------------------------------------------------------------------------------------------

export const PLATFORM_KEY_FRESH_MS = 60_000;
/** With the directory down, an append may rest on a verdict this old; nothing else may. */
export const PLATFORM_KEY_STALE_MS = 3_600_000;
export const PLATFORM_KEY_CACHE_MAX_COUNT = 1_000;

// ---- The watchdog ---------------------------------------------------------------------------------------------

export const WATCHDOG_ORGS_PER_RUN = 200;
export const WATCHDOG_PARKED_PER_RUN = 100;

export const METRICS_FLUSH_MS = 10_000;
/** Kinds of refused calls an isolate gathers: each is one call when handed over, of the 1,000 a request may make. */
export const REFUSALS_GATHERED_MAX_COUNT = 200;
/** How often an awake ledger tells the directory how it stands: a row written each time. */
export const GAUGE_MS = 60_000;

// ---- The verifier ---------------------------------------------------------------------------------------------

/** 256 leaves of the largest size, each after two bytes of length: what a verifier takes for an entry bundle. */
export const BUNDLE_MAX_BYTES = 256 * (LEAF_MAX_BYTES + 2);
/** Tiles read ahead of the one that is checked, each with its entries: at worst 50 MB, usually 4 MB. */
export const VERIFIER_AHEAD_TILES = 16;
/** Record lines kept ahead of their tile: more than a segment holds, so that neighbours may stand in any order. */
export const VERIFIER_AHEAD_RECORDS = 2_048;
export const VERIFIER_AHEAD_BYTES = 64_000_000;
/** The largest record line: an event with salts and escapes, and its leaf. */
export const RECORD_MAX_BYTES = 400_000;
export const VERIFIER_ANSWER_MAX_MS = 30_000;
export const VERIFIER_TRIES = 5;
export const VERIFIER_RETRY_MIN_MS = 500;
export const VERIFIER_RETRY_MAX_MS = 30_000;

/** Witnesses a deployment asks: each costs a request and a row a checkpoint. */
export const WITNESSES_MAX_COUNT = 8;
/** How long one may take; publishing does not wait for it. */
export const WITNESS_TIMEOUT_MS = 5_000;
/** A cosignature line is 150 bytes and a name; some answer with several. */
export const WITNESS_ANSWER_MAX_BYTES = 16_384;
/** When one that did not answer is asked again if no checkpoint comes before; doubled each time. */
export const WITNESS_RETRY_MIN_MS = 60_000;
export const WITNESS_RETRY_MAX_MS = 3_600_000;
