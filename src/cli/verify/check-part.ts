import * as z from "zod";
import { REPORT_LINE_MAX_CHARACTERS } from "../limits.ts";
import { pause } from "../../verifier/pause.ts";
import { failureOf, problemOf, reasonOf } from "../answer.ts";
import type { Connection } from "../options.ts";
import { failed, type Outcome } from "../outcome.ts";

/** Where a later request begins: entries before `to`, the newest of them with this entry hash. */
export type Part = { to: number; expect: string | null };

/** What has been checked so far, for the eye. */
export type Counter = { checked: number; total: number | null; breaks: number; waiting: string | null };

const breakSchema = z.looseObject({
  kind: z.string(),
  index: z.int(),
  section: z.string().optional(),
  found_at: z.int().optional(),
  detail: z.string().optional(),
});

const reportSchema = z.object({
  ok: z.boolean(),
  /** The log's origin; a service that does not say has one log an org. */
  log: z.string().optional(),
  checked: z.int(),
  size: z.int(),
  breaks: z.array(breakSchema),
  unvouched: z.array(z.object({ from: z.int(), to: z.int() })).default([]),
  absent: z.record(z.string(), z.int()).default({}),
  could_not_check: z.array(z.object({ index: z.int(), why: z.string() })).default([]),
  stopped_at: z.int().nullable().default(null),
  pending: z.int().default(0),
  continue_from: z.int().nullable().default(null),
  continue_expect: z.string().nullable().default(null),
});

const progressSchema = z.object({
  progress: z.object({ checked: z.int(), total: z.int(), breaks: z.int() }),
});

const errorSchema = z.object({ error: z.object({ detail: z.string() }) });

export type Report = z.infer<typeof reportSchema>;

const TRIES = 8;
const WAIT_MAX_MS = 30_000;

type Request = {
  log: number | null;
  from: Part | null;
  counter: Counter;
  signal: AbortSignal;
  reason: string | null;
};

/** One request of the check of a log by its number (null: the newest): its report, or why there is none. Waits while the service is busy. */
export async function checkPart(
  connection: Connection,
  { log, from, counter, signal, reason }: Request,
): Promise<Outcome<Report>> {
  const query = new URLSearchParams();
  if (from !== null) query.set("to", String(from.to));
  if (from?.expect) query.set("expect", from.expect);
  const search = query.size > 0 ? `?${query.toString()}` : "";
  const place = log === null ? connection.org : `${connection.org}/${log}`;
  const url = `${connection.url}/v1/orgs/${place}/verify${search}`;
  const headers = {
    authorization: `Bearer ${connection.key}`,
    accept: "application/x-ndjson",
    ...(reason === null ? {} : { "audit-reason": reason }),
  };
  for (let tries = 1; ; tries++) {
    try {
      const response = await fetch(url, { headers, signal, redirect: "error" });
      if (response.ok && response.body !== null) return await readReport(response.body, counter);
      const problem = problemOf(response.status, response.body === null ? "" : await firstLine(response.body));
      const busy = response.status === 429 || response.status === 503 || response.status === 409;
      if (!busy || tries === TRIES) return { ok: false, failure: failureOf(problem, connection) };
      const asked = Number(response.headers.get("retry-after"));
      counter.waiting = `waiting · ${problem.detail}`;
      await pause(Math.min(WAIT_MAX_MS, asked > 0 ? asked * 1000 : 1000 * tries), signal);
      counter.waiting = null;
    } catch (error) {
      if (signal.aborted) return failed("the check was stopped", "run it again: it changes nothing");
      return failed(reasonOf(error, connection.url), "start the service, or name it with --url");
    }
  }
}

async function readReport(body: ReadableStream<Uint8Array>, counter: Counter): Promise<Outcome<Report>> {
  let report: Report | null = null;
  for await (const line of linesOf(body)) {
    if (line?.trim() === "") continue;
    const value = line === null ? null : parse(line);
    const progress = progressSchema.safeParse(value);
    if (progress.success) {
      counter.checked = progress.data.progress.checked;
      counter.breaks = progress.data.progress.breaks;
      counter.total ??= progress.data.progress.total;
      continue;
    }
    const error = errorSchema.safeParse(value);
    if (error.success)
      return failed(error.data.error.detail.replace(/\.$/, ""), "run it again, or see the service's log");
    const checked = reportSchema.safeParse(value);
    if (!checked.success) return failed("the service answered with something that is no report", "check --url");
    report = checked.data;
    // The total of a part is what it checks; the report says how large the whole log is.
    counter.total = Math.max(counter.total ?? 0, report.size);
  }
  if (report !== null) return { ok: true, value: report };
  return failed(`the answer broke off after ${counter.checked} entries`, "run it again: it changes nothing");
}

/** A problem document is a line of JSON: of anything longer the beginning does. */
async function firstLine(body: ReadableStream<Uint8Array>): Promise<string> {
  for await (const line of linesOf(body)) return line ?? "";
  return "";
}

/** Ends with null at a line that is longer than any report. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string | null> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > REPORT_LINE_MAX_CHARACTERS) return yield null;
  }
  yield rest + decoder.decode();
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
