import { deleteExportFiles } from "../archive/export.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callJobs } from "../jobs/client.ts";
import { JOBS_PAGE_ENTRIES } from "../limits.ts";
import type { ExportResult, LogShare } from "../schema/export.ts";
import type { Job } from "../schema/job.ts";
import type { ExportProgress } from "./progress.ts";

type Removed = { log: number; indexes: readonly number[]; because: string };

/**
 * Takes back every export that may hold one of these entries of a log, by the range of what it holds: of one that was made
 * its files go and it says why; one that is being made begins anew. Safe to repeat; answers how many it took back.
 */
export async function withdrawExports(config: Config, org: string, removed: Removed): Promise<Result<number>> {
  let withdrawn = 0;
  for (let after: string | null = null; ; ) {
    const jobs = await callJobs(config, org, async (stub) => await stub.list(org, "export", after));
    if (!jobs.ok) return jobs;
    for (const job of jobs.value.filter((one) => mayHold(one, removed))) {
      const taken = await withdraw(config, org, { job, because: removed.because });
      if (!taken.ok) return taken;
      withdrawn++;
    }
    after = jobs.value.at(-1)?.id ?? null;
    if (jobs.value.length < JOBS_PAGE_ENTRIES) return ok(withdrawn);
  }
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
  { job: { id, state, result }, because }: { job: Job; because: string },
): Promise<Result<unknown>> {
  await deleteExportFiles(config.archive, { org, id });
  if (state !== "done" || result === null) {
    return callJobs(config, org, async (stub) => await stub.restart(org, "export", id));
  }
  const withdrawn = { at: new Date().toISOString(), because };
  const left = { ...(JSON.parse(result) as ExportResult), withdrawn };
  return callJobs(config, org, async (stub) => await stub.replaceResult(org, "export", { id, result: left }));
}
