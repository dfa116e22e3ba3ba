/** The queue, and what runs once a minute. */

// ---- The queue -----------------------------------------------------------------------------------------------------

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

// ---- The watchdog --------------------------------------------------------------------------------------------------

export const WATCHDOG_ORGS_PER_RUN = 200;
export const WATCHDOG_PARKED_PER_RUN = 100;

export const METRICS_FLUSH_MS = 10_000;
/** Kinds of refused calls an isolate gathers: each is one call when handed over, of the 1,000 a request may make. */
export const REFUSALS_GATHERED_MAX_COUNT = 200;
/** How often an awake ledger tells the directory how it stands: a row written each time. */
export const GAUGE_MS = 60_000;
