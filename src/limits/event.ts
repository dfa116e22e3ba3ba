/** What an event, an entry and a log may hold. */

// ---- An event ------------------------------------------------------------------------------------------------------

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

// ---- A leaf and a log ----------------------------------------------------------------------------------------------

/** 105 sections of 70 bytes and the fixed members: 7.9 kB; the rest is room for a long origin. */
export const LEAF_MAX_BYTES = 12_288;
export const ORIGIN_MAX_BYTES = 255;
/** An org's name has three characters or more, so that `/2` to `/99` after an origin can only be numbers of its logs. */
export const ORG_MAX_LOGS = 99;
/** D1 keys are `org_number * 2^32 + index`. */
export const LOG_MAX_ENTRIES = 2 ** 32;
/** 2^21 orgs a cell keep every key under 2^53. */
export const CELL_MAX_ORG_NUMBERS = 2 ** 21;

// ---- Notes and proofs ----------------------------------------------------------------------------------------------

/** C2SP signed-note wants 16 at least; a log has one or two keys, the rest are witnesses. */
export const NOTE_MAX_SIGNATURES = 64;
/** 64 signatures of the longest type known, 3.3 kB of base64 each, and their names. */
export const NOTE_MAX_BYTES = 262_144;
/** What C2SP tlog-witness takes; in a tree of 2^32 no proof has more than 33. */
export const PROOF_MAX_HASHES = 63;
/** The largest record line, 260,000 bytes, in base64, and a note. */
export const PROOF_MAX_BYTES = 1_000_000;
