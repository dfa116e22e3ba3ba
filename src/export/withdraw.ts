import { deleteExportFiles } from "../archive/export.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callJobs } from "../jobs/client.ts";
import { JOBS_PAGE_ENTRIES } from "../limits.ts";
import type { ExportRequest, ExportResult, LogShare } from "../schema/export.ts";
import type { Job } from "../schema/job.ts";
import type { ExportProgress } from "./progress.ts";

/** What went from the log: entries of one of its logs, and texts that nothing may quote any more. `because` is shown. */
type Removed = { log: number; indexes: readonly number[]; quoting?: readonly string[]; because: string };

/**
 * Takes back every export that may hold one of these entries, by the range of what it holds, or whose question quotes one of
 * these texts: its files go, and it says why; one that is being made begins anew, or ends if its question must go. Safe to
 * repeat; answers how many it took back.
 */
export async function withdrawExports(config: Config, org: string, removed: Removed): Promise<Result<number>> {
  let withdrawn = 0;
  for (let after: string | null = null; ; ) {
    const jobs = await callJobs(config, org, async (stub) => await stub.list(org, "export", after));
    if (!jobs.ok) return jobs;
    for (const job of jobs.value) {
      const quotes = quotesAny(job, removed.quoting ?? []);
      if (!quotes && !mayHold(job, removed)) continue;
      const taken = await withdraw(config, org, { job, quotes, because: removed.because });
      if (!taken.ok) return taken;
      withdrawn++;
    }
    after = jobs.value.at(-1)?.id ?? null;
    if (jobs.value.length < JOBS_PAGE_ENTRIES) return ok(withdrawn);
  }
}

function quotesAny({ request }: Job, texts: readonly string[]): boolean {
  const { reason, filter } = JSON.parse(request) as ExportRequest;
  const said = [reason, ...Object.values(filter ?? {}).flat()];
  return texts.some((text) => said.some((one) => one.includes(text)));
}

function mayHold(job: Job, { log, indexes }: Removed): boolean {
  const share = sharesOf(job).find(({ number }) => number === log);
  if (share === undefined || share.first === null || share.last === null) return false;
  const { first, last } = share;
  return indexes.some((index) => first <= index && index <= last);
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
  const withdrawn = { at: new Date().toISOString(), because };
  const left = result === null ? null : JSON.stringify({ ...(JSON.parse(result) as ExportResult), withdrawn });
  const request = quotes ? JSON.stringify(unsaid(JSON.parse(job.request) as ExportRequest)) : job.request;
  return callJobs(config, org, async (stub) => await stub.rewrite(org, "export", { id, request, result: left }));
}

/** A request without what people wrote into it. */
function unsaid(request: ExportRequest): ExportRequest {
  return { ...request, reason: "(erased)", filter: null, query: "" };
}
