import { LEAF_MAX_BYTES } from "./event.ts";

/** What a verifier holds in memory, and how long it waits. */

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

/**
 * A manifest names each part of 8 MB in 140 bytes: 100,000 parts, 800 GB. A signed note of anything else is far shorter.
 */
export const VERIFIER_MANIFEST_MAX_BYTES = 16_000_000;
/** A part is hashed whole: twice what an export puts into one. */
export const VERIFIER_PART_MAX_BYTES = 16_000_000;
/** A line of an export: a record line and its proof of at most 63 hashes, with room. */
export const VERIFIER_LINE_MAX_BYTES = 2 * RECORD_MAX_BYTES;
