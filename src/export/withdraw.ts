import { deleteExportFiles } from "../archive/export.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callJobs } from "../jobs/client.ts";
import { JOBS_PAGE_ENTRIES } from "../limits.ts";
import type { ExportRequest, ExportResult, LogShare } from "../schema/export.ts";
import type { Job } from "../schema/job.ts";
import { quotedIn, quotesAny } from "../store/quoted.ts";
import type { ExportProgress } from "./progress.ts";

/** Entries `first` to `last` of one of an org's logs. */
export type Run = { log: number; first: number; last: number };

/** What went, or what nobody can look into any more, and texts that nothing may quote. `because` is shown of what may hold it. */
type Removed = { runs: readonly Run[]; quoting: readonly string[]; because: string };

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
      if (!quotes && !mayHold(job, removed.runs)) continue;
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
  return [reason, ...quotedIn(query), ...Object.values(filter ?? {}).flat()];
}

/** Whether there is anything of an export, or will be. */
function isThere({ ended_at, result }: Job): boolean {
  if (ended_at === null) return true;
  return result !== null && (JSON.parse(result) as ExportResult).withdrawn === null;
}

function mayHold(job: Job, runs: readonly Run[]): boolean {
  return sharesOf(job).some(({ number, first, last }) => {
    if (first === null || last === null) return false;
    return runs.some((run) => run.log === number && run.first <= last && first <= run.last);
  });
}

/** What of each log a job's files hold; nothing when they are gone. */
function sharesOf({ state, result, progress }: Job): LogShare[] {
  if (state === "done" && result !== null) {
    const made = JSON.parse(result) as ExportResult;
    return made.withdrawn === null ? made.logs : [];
  }
  return progress === null ? [] : (JSON.parse(progress) as ExportProgress).logs;
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
  const left = result === null ? null : withdrawnFor(because, JSON.parse(result) as ExportResult);
  return callJobs(config, org, async (stub) => await stub.rewrite(org, "export", { id, request, result: left }));
}

/** What was withdrawn before stays so. */
function withdrawnFor(because: string, result: ExportResult): string {
  return JSON.stringify({ ...result, withdrawn: result.withdrawn ?? { at: new Date().toISOString(), because } });
}

/** A request without what people wrote into it. */
function unsaid(request: string): string {
  const asked = JSON.parse(request) as ExportRequest;
  return JSON.stringify({ ...asked, reason: "(erased)", filter: null, query: "" } satisfies ExportRequest);
}
