/**
 * Every bound of the service, with the number it comes from. Unit last in the name.
 * A limit a caller can meet stands, with its number, in the message that refuses.
 */

export * from "./limits/event.ts";
export * from "./limits/request.ts";
export * from "./limits/stats.ts";
export * from "./limits/access.ts";
export * from "./limits/ledger.ts";
export * from "./limits/store.ts";
export * from "./limits/tiers.ts";
export * from "./limits/queue.ts";
export * from "./limits/verifier.ts";
export * from "./limits/reads.ts";
export * from "./limits/watch.ts";
export * from "./limits/keep.ts";
export * from "./limits/jobs.ts";
