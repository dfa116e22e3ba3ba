import type { ErrorCode } from "./errors.ts";

/**
 * Counters of this isolate since they were last flushed. Counting is synchronous and cannot fail; `watch/` adds what is
 * here to the directory every few seconds, so an isolate that dies takes at most that much of a count with it.
 */
export const METRICS = {
  audit_events_logged_total: "Events sequenced, by how they came.",
  audit_events_failed_total: "Events not taken, by reason; fault is `client` or `log`: the log's own failures apart.",
  audit_events_duplicate_total: "Events that were sequenced before and got their first receipt.",
  audit_requests_total: "HTTP requests, by route and status.",
  audit_append_seconds_bucket: "Append requests by time to the answer.",
  audit_append_seconds_sum: "Seconds append requests took together.",
  audit_append_seconds_count: "Append requests measured.",
  audit_queue_messages_total: "Queue messages, by outcome: appended, retried, parked, dead.",
  audit_cross_org_refusals_total: "Rows, messages and calls refused because they were of another org.",
  audit_rows_unreadable_total:
    "Rows that a read met and could not answer as entries: refused, or of a format not known here.",
  audit_unauthorized_total: "Requests without a valid key.",
  audit_projection_failures_total: "Batches D1 did not take; they are tried again.",
  audit_archive_failures_total: "Segments R2 did not take; they are tried again.",
  audit_segments_damaged_total:
    "Objects of R2 found to hold other bytes than their segment: stored beside them, or missed by a read.",
  audit_publish_failures_total: "Checkpoints not published, by reason; they are tried again.",
  audit_witness_failures_total: "Checkpoints a witness did not cosign, by witness and whether it was away or refused.",
  audit_clock_ahead_total: "Transactions sealed with a time more than 5 s ahead of the clock.",
  audit_rows_written_total: "Rows written, by store.",
  audit_cells_full_total: "Times a full cell had no free one to hand over to: add a CELL_n.",
  audit_cooling_failures_total: "Times a cell could not be swept of months that are cold; it is tried again.",
  audit_cooling_strangers_total: "Rows of no known org that keep a month from leaving its cell, at each sweep.",
  audit_logs_continued_total: "Times an operator began a new log where one could not be rolled forward.",
  audit_logs_restored_total: "Times a rewound ledger was rolled forward from R2 or D1.",
  audit_findings_total: "Sightings of entries that are not where they belong, by store or path, and kind.",
  audit_canary_late_total: "Reads of canaries that did not find what was appended, by path.",
  audit_samples_total: "Samples of orgs, by outcome: whole, faulty, failed.",
  audit_reads_total: "Traced answers, by route.",
  audit_job_steps_total: "Steps of long jobs, by kind and outcome: moved, done, refused, failed.",
} as const;

export type MetricName = keyof typeof METRICS;

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, Number.POSITIVE_INFINITY].map((bound) => {
  return { bound, labels: `le="${bound === Number.POSITIVE_INFINITY ? "+Inf" : bound}"` };
});

const counts = new Map<string, { name: MetricName; labels: string; value: number }>();

/** Adds to a counter. `labels` are a closed set each; never an id or a text of a client. */
export function count(name: MetricName, labels: Record<string, string> = {}, value = 1): void {
  let text = "";
  for (const label in labels) text += `${text === "" ? "" : ","}${label}="${labels[label]}"`;
  add(name, text, value);
}

function add(name: MetricName, labels: string, value: number): void {
  const key = `${name}{${labels}}`;
  const held = counts.get(key);
  if (held === undefined) counts.set(key, { name, labels, value });
  else held.value += value;
}

/** Counts events that were not taken. */
export function countFailed(code: ErrorCode, events: number): void {
  const fault = code === "internal" || code === "overloaded" ? "log" : "client";
  count("audit_events_failed_total", { reason: code, fault }, events);
}

/** Adds one append to the latency histogram (cumulative buckets, as Prometheus wants them). */
export function countAppendSeconds(seconds: number): void {
  for (const { bound, labels } of BUCKETS) if (seconds <= bound) add("audit_append_seconds_bucket", labels, 1);
  count("audit_append_seconds_sum", {}, seconds);
  count("audit_append_seconds_count");
}

/** Takes all counts out; the caller gives them back with `restoreCounts` when it could not store them. */
export function takeCounts(): { name: string; labels: string; value: number }[] {
  const taken = [...counts.values()];
  counts.clear();
  return taken;
}

export function restoreCounts(taken: readonly { name: string; labels: string; value: number }[]): void {
  for (const { name, labels, value } of taken) add(name as MetricName, labels, value);
}
