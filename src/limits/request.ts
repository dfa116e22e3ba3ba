/** What one request may ask for, and who is remembered between requests. */

// ---- A request -----------------------------------------------------------------------------------------------------

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
/** Values and words of all filters of a question: each is a list the index reads, a word two. */
export const QUESTION_MAX_VALUES = 40;
/**
 * Tokens a window of time takes: at each end 9 minutes, 5 tens, 23 hours, 30 days, 11 months and 9 years at most, and 13
 * decades between: 187. Rows indexed before minutes were have the hours of both ends, 24 each, as a kind of their own.
 */
export const WINDOW_MAX_TERMS = 235;
/** The search string: what a person types. */
export const SEARCH_STRING_MAX_CHARACTERS = 1_000;
export const SEARCH_STRING_MAX_TERMS = 20;
export const SEARCH_STRING_MAX_WORDS = 20;
/**
 * Work of one search request: indexes asked for, and time after which no further statement begins. One statement asks for a
 * whole slot: without a hit it reads its tokens' lists there from end to end, whatever range it is asked for (two that never
 * meet: 27 to 44 ms over 2^19 entries, for one index as for all), so that smaller steps would read them again and again.
 */
export const SEARCH_MAX_POSTINGS = 2 ** 22;
export const SEARCH_MAX_MS = 100;
/**
 * Months a search reads in one call where little was found, and the indexes they may hold together: without a hit 44 ms of work,
 * as for one large month.
 */
export const SEARCH_BATCH_MAX_RUNS = 8;
export const SEARCH_BATCH_MAX_POSTINGS = 2 ** 19;
/** Why somebody reads, kept in the trace. */
export const REASON_MAX_CHARACTERS = 1_000;
/** How long `min_size` and a get by id wait for an entry to be projected. */
export const VISIBLE_WAIT_MAX_MS = 5_000;
/** Entries one verify request checks: about 15 s of CPU at 150 µs an entry, half of the platform's default. */
export const VERIFY_MAX_ENTRIES = 100_000;
/** Segments of cold entries it reads: beside the lists of causes of the 1,000 calls a request has. */
export const VERIFY_MAX_SEGMENTS = 400;
/** How long a verification may be silent before another one may begin. */
export const VERIFY_LEASE_MS = 30_000;
/** A removal that waits asks again every two seconds; one that died holds nobody up for longer. */
export const LEASE_CLAIM_MS = 10_000;
export const VERIFY_PAGE_ENTRIES = 1_000;
/** Breaks one report names; past it the report says that it stopped. */
export const VERIFY_MAX_BREAKS = 1_000;
/** Erasures and retention runs a verify walk keeps in memory, 100 bytes each, to judge absent sections by. */
export const VERIFY_MAX_CAUSES = 100_000;
/** Causes whose lists one verify request reads: two calls each, of the 1,000 it may make, and 20,000 entries at most. */
export const VERIFY_MAX_LISTS = 200;
/** With so many a run ends, and says where to go on: the entry it ends with may name some more. */
export const VERIFY_REST_LISTS = 150;
/** What is kept of the sections that name them, two or three bytes an entry, until their lists are read: 20 million entries. */
export const VERIFY_CLAIMS_MAX_BYTES = 64_000_000;

/** Entries one repair call compares: opened, indexed and read twice, about 300 µs each, so half of the default CPU time. */
export const REPAIR_MAX_ENTRIES = 50_000;
/** Rows one repair call mends, and bytes of evidence it holds: each is an object in R2, six at a time. */
export const REPAIR_MAX_ROWS = 500;
export const REPAIR_MAX_BYTES = 16_000_000;
/** Six to twelve statements each, in one D1 batch. */
export const REPAIR_BATCH_ROWS = 25;

// ---- Keys and caches -----------------------------------------------------------------------------------------------

export const PLATFORM_KEY_FRESH_MS = 60_000;
/** With the directory down, an append may rest on a verdict this old; nothing else may. */
export const PLATFORM_KEY_STALE_MS = 3_600_000;
export const PLATFORM_KEY_CACHE_MAX_COUNT = 1_000;
