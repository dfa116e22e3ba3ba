import { deleteExportFiles } from "../archive/export.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callJobs } from "../jobs/client.ts";
import { CLOCK_AHEAD_MAX_MS, JOBS_PAGE_ENTRIES } from "../limits.ts";
import type { ExportRequest, ExportResult, LogShare } from "../schema/export.ts";
import type { Job } from "../schema/job.ts";
import { quotedIn, quotesAny } from "../store/quoted.ts";
import { withdrawnFor } from "./kept.ts";
import type { ExportProgress } from "./progress.ts";

/** Entries `first` to `last` of one of an org's logs. */
export type Run = { log: number; first: number; last: number };

/**
 * Entries that nobody can look into, so that an export may hold anybody of them: `expired`, the last of them at `expired_by` (ms), and
 * `unreadable`, which are not in R2 as they were stored.
 */
type Blind = { expired: readonly Run[]; expired_by: number; unreadable: readonly Run[] };

/** What went, what nobody can look into any more, and texts that nothing may quote. `because` is shown of what may hold it. */
type Removed = { runs: readonly Run[]; blind?: Blind; quoting: readonly string[]; because: string };

/**
 * Takes back every export that may hold one of these entries, by the range of what it holds, or whose question or reason quotes one of
 * these texts: its files go, its manifest among them, and it says why; one that is being made begins anew, or ends if its question must go.
 * Safe to repeat; answers how many it took back.
 */
export async function withdrawExports(config: Config, org: string, removed: Removed): Promise<Result<number>> {
  let withdrawn = 0;
  for (let after: string | null = null; ; ) {
    const jobs = await callJobs(config, org, async (stub) => await stub.list(org, "export", after));
    if (!jobs.ok) return jobs;
    for (const job of jobs.value) {
      const quotes = quotesAny(saidIn(job), removed.quoting);
      if (!quotes && !mayHold(job, removed)) continue;
      const taken = await withdraw(config, org, { job, quotes, because: quotes ? QUOTED : removed.because });
      if (!taken.ok) return taken;
      if (isThere(job)) withdrawn++;
    }
    after = jobs.value.at(-1)?.id ?? null;
    if (jobs.value.length < JOBS_PAGE_ENTRIES) return ok(withdrawn);
  }
}

const QUOTED = "Its filter or reason quoted somebody who was erased.";

/** What people wrote into a request. */
function saidIn({ request }: Job): string[] {
  const { reason, query, filter } = JSON.parse(request) as ExportRequest;
  const asked = Object.entries(filter ?? {}).flatMap(([name, given]) => [given].flat().map((one) => [name, one]));
  return [reason, ...quotedIn(query), ...quotedIn(new URLSearchParams(asked).toString())];
}

/** Whether there is anything of an export, or will be. */
function isThere({ ended_at, result }: Job): boolean {
  if (ended_at === null) return true;
  return result !== null && (JSON.parse(result) as ExportResult).withdrawn === null;
}

function mayHold(job: Job, { runs, blind }: Removed): boolean {
  const held = heldBy(job);
  if (held === null) return false;
  if (runs.some((run) => partOf(held, run) !== null)) return true;
  if (blind === undefined) return false;
  const { expired, expired_by, unreadable } = blind;
  // Each step asks anew for the names of what it reads, and by then what had expired was in no object that has one. Both times
  // are those of the org's jobs, which may have moved to another clock in between.
  const clean = held.began_at > expired_by + CLOCK_AHEAD_MAX_MS;
  if (!clean && expired.some((run) => partOf(held, run) !== null)) return true;
  return unreadable.some((run) => {
    const part = partOf(held, run);
    return part !== null && !held.missing.runs.some((lost) => within(lost, part));
  });
}

type Held = Pick<ExportProgress, "began_at" | "missing"> & { logs: readonly LogShare[] };

/** What a job's files hold; null when they are gone, or there is none yet. */
function heldBy({ state, result, progress }: Job): Held | null {
  if (state === "done" && result !== null) {
    const made = JSON.parse(result) as ExportResult;
    return made.withdrawn === null ? made : null;
  }
  return progress === null ? null : (JSON.parse(progress) as ExportProgress);
}

/** The part of a run that lies between the first and the last row of its log. */
function partOf({ logs }: Held, { log, ...run }: Run): Run | null {
  const share = logs.find(({ number }) => number === log);
  if (share === undefined || share.first === null || share.last === null) return null;
  const [first, last] = [Math.max(run.first, share.first), Math.min(run.last, share.last)];
  return first > last ? null : { log, first, last };
}

function within(whole: Run, part: Run): boolean {
  return whole.log === part.log && whole.first <= part.first && part.last <= whole.last;
}

async function withdraw(
  config: Config,
  org: string,
  { job, quotes, because }: { job: Job; quotes: boolean; because: string },
): Promise<Result<unknown>> {
  const { id, result } = job;
  const over = job.ended_at !== null;
  if (!over) {
    const by = "service";
    const stopped = await callJobs(config, org, async (stub) => {
      return quotes ? await stub.cancel(org, "export", { id, by }) : await stub.restart(org, "export", id);
    });
    if (!stopped.ok) return stopped;
  }
  await deleteExportFiles(config.archive, { org, id });
  if (!over && !quotes) return ok(null);
  const request = quotes ? unsaid(job.request) : job.request;
  const made = result === null ? null : (JSON.parse(result) as ExportResult);
  const left = made && JSON.stringify(withdrawnFor(because, { result: made, now: Date.now() }));
  return callJobs(config, org, async (stub) => await stub.rewrite(org, "export", { id, request, result: left }));
}

/** A request without what people wrote into it. */
function unsaid(request: string): string {
  const asked = JSON.parse(request) as ExportRequest;
  return JSON.stringify({ ...asked, reason: "(erased)", filter: null, query: "" } satisfies ExportRequest);
}
