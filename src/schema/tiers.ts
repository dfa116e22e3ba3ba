/** A run of a log's entries as R2 holds it, and what the ledger knows of its last one: entry hash, when it was sequenced. */
export type KnownSegment = { first: number; last: number; name: string; head: string; sequenced_at: number };

/** Which segments of the newest log, of number `log`: those with any of the entries `[low, high)`, from the end where `order` begins. */
export type SegmentQuestion = { log: number; low: number; high: number; order: "asc" | "desc"; limit: number };

/** Entries of the org's log of number `log` that are proven to be in R2: all below `before`. */
export type CoolLog = { log: number; before: number };

/** Where an entry of this org lies: its index in the log of this number. */
export type EntryPlace = { log: number; index: number };
