import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { newRunId } from "../ids.ts";
import { callJobs } from "../jobs/client.ts";
import { callLedger } from "../ledger/client.ts";
import { JOBS_PAGE_ENTRIES } from "../limits.ts";
import { permit } from "../policy/org.ts";
import type { Caller } from "../schema/caller.ts";
import type { Job } from "../schema/job.ts";
import type { NewRun, RunAnswer, RunRequest, RunTotals } from "../schema/retention.ts";
import { NOTHING_YET } from "./run-totals.ts";

type RunPage = { data: RunAnswer[]; next_cursor: string | null };

/**
 * Begins a run, which takes every section of what was to be kept until before today, or before an earlier day; a dry run says what
 * would go, for a day to come as well. Any other run for a day to come is refused, and the attempt sealed.
 */
export async function startRun(
  config: Config,
  org: string,
  { caller, wanted }: { caller: Caller; wanted: NewRun },
): Promise<Result<RunAnswer>> {
  const { dry_run, as_of = null, after_index = null } = wanted;
  const asked = dry_run ? null : as_of;
  const today = await callLedger(config, org, async (ledger) => await ledger.permitRun(org, caller, asked));
  if (!today.ok) return today;
  const request: RunRequest = { day: as_of ?? today.value, dry_run, after: after_index };
  const id = newRunId();
  return runOf(await callJobs(config, org, (jobs) => jobs.create(org, { id, kind: "retention", request, by: caller })));
}

/** An org's runs, the newest first, those of every night among them. */
export async function listRuns(
  config: Config,
  org: string,
  { caller, after }: { caller: Caller; after: string | null },
): Promise<Result<RunPage>> {
  const allowed = await permit(config, { org, caller, scope: "policy:write" });
  if (!allowed.ok) return allowed;
  const jobs = await callJobs(config, org, async (of) => await of.list(org, "retention", after));
  if (!jobs.ok) return jobs;
  const last = jobs.value.length === JOBS_PAGE_ENTRIES ? jobs.value.at(-1) : undefined;
  return ok({ data: jobs.value.map(answerOf), next_cursor: last?.id ?? null });
}

export async function getRun(
  config: Config,
  org: string,
  { caller, id }: { caller: Caller; id: string },
): Promise<Result<RunAnswer>> {
  const allowed = await permit(config, { org, caller, scope: "policy:write" });
  if (!allowed.ok) return allowed;
  return runOf(await callJobs(config, org, async (jobs) => await jobs.get(org, "retention", id)));
}

function runOf(job: Result<Job>): Result<RunAnswer> {
  return job.ok ? ok(answerOf(job.value)) : job;
}

function answerOf({ id, state, request, progress, result, created_at, ended_at, error }: Job): RunAnswer {
  const { day, dry_run } = JSON.parse(request) as RunRequest;
  return {
    id,
    state,
    dry_run,
    day,
    created_at: new Date(created_at).toISOString(),
    ended_at: ended_at === null ? null : new Date(ended_at).toISOString(),
    error,
    ...totalsOf({ progress, result }),
  };
}

/** Of a run that is not done, what it found so far. */
export function totalsOf({ progress, result }: Pick<Job, "progress" | "result">): RunTotals {
  if (result !== null) return JSON.parse(result) as RunTotals;
  return progress === null ? NOTHING_YET : (JSON.parse(progress) as { totals: RunTotals }).totals;
}
