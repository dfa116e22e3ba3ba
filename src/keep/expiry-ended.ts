import type { Config } from "../env.ts";
import { callJobs } from "../jobs/client.ts";
import { JOBS_PAGE_ENTRIES } from "../limits.ts";
import type { RunRequest } from "../schema/retention.ts";
import { totalsOf } from "./retention-runs.ts";

/**
 * When the last run ended that let anything of an org expire, in ms; Infinity where one may still be at it, and where nobody knows. All that
 * was gone before this is asked was gone by then: a run that has sealed no cause has taken nothing yet.
 */
export async function expiryEnded(config: Config, org: string): Promise<number> {
  let wentThrough = false;
  for (let after: string | null = null; ; ) {
    const jobs = await callJobs(config, org, async (stub) => await stub.list(org, "retention", after, "ended"));
    if (!jobs.ok) throw new Error(jobs.refusal.detail);
    for (const job of jobs.value) {
      const { state, ended_at } = job;
      if ((JSON.parse(job.request) as RunRequest).dry_run) continue;
      if (state === "failed" || state === "cancelled") {
        // Nobody knows what it was at: what it left lies there until another has gone through everything.
        return wentThrough && ended_at !== null ? ended_at : Infinity;
      }
      if (totalsOf(job).causes.length > 0) return ended_at ?? Infinity;
      wentThrough ||= state === "done";
    }
    after = jobs.value.at(-1)?.id ?? null;
    if (jobs.value.length < JOBS_PAGE_ENTRIES) return Infinity;
  }
}
