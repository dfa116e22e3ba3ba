/** Who may read, for how long, how often, and from which pages. */

// ---- Viewer tokens -------------------------------------------------------------------------------------------------

export const VIEWER_TOKEN_MAX_SECONDS = 3_600;
export const VIEWER_TOKEN_DEFAULT_SECONDS = 900;
/** Of one a service binding minted: no key can be revoked to end it, so it ends soon by itself. */
export const BINDING_TOKEN_MAX_SECONDS = 900;
/** How far a ledger's clock may be ahead of the edge's: it takes a token this much longer than the edge does. */
export const VIEWER_TOKEN_SKEW_MS = 5_000;
/**
 * Two ids of 200 characters and three labels of 100, six bytes of JSON each at most, an org and the rest: 4.8 kB, a third more
 * in base64url.
 */
export const VIEWER_TOKEN_MAX_CHARACTERS = 6_500;

// ---- How often -----------------------------------------------------------------------------------------------------

export const READS_PER_KEY_PER_SECOND = 50;
/**
 * What a read that opens thousands of entries counts as: statistics by actor, 2.5 s at worst, and the first page of a history, which
 * rebuilds the thing. A key may make ten a second; a page of a dashboard may ask one beside five others, three times over.
 */
export const HEAVY_READ_WEIGHT = 5;
/** A page of a dashboard asks six questions at once, and somebody clicks. */
export const READS_PER_TOKEN_PER_SECOND = 20;
/** All tokens of one key together: four keys' worth, else minting would multiply its limit. */
export const READS_PER_KEYS_TOKENS_PER_SECOND = 4 * READS_PER_KEY_PER_SECOND;
/**
 * Checkpoints, tiles, bundles and bare proofs, for each key or network: a verifier fetches a log of a million entries, 7,813
 * objects, in 40 s. One that is refused waits a second, and has at most 32 questions under way.
 */
export const TREE_READS_PER_SECOND = 200;
/** Readers whose reads are counted, all keys of an org among them: 100 bytes each. */
export const READERS_KEPT_MAX_COUNT = 4_096;

// ---- Pages of other origins ----------------------------------------------------------------------------------------

export const CORS_MAX_ORIGINS = 20;
export const ORIGIN_MAX_CHARACTERS = 300;
/** How long a browser remembers what it may send; what it may read is decided with each answer. */
export const CORS_PREFLIGHT_SECONDS = 600;
