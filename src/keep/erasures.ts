import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { newErasureId } from "../ids.ts";
import { callJobs } from "../jobs/client.ts";
import { JOBS_PAGE_ENTRIES } from "../limits.ts";
import { callLedger } from "../ledger/client.ts";
import { type Caller, nameOf } from "../schema/caller.ts";
import type { Certificate, ErasureAnswer, ErasureRequest, NewErasure } from "../schema/erasure.ts";
import type { Job } from "../schema/job.ts";
import { type ErasureProgress, removedBy } from "./erasure-progress.ts";

const KIND = "erasure";

/** Begins an erasure and answers how it stands; asked for again, another one begins and finds what is there by then. */
export async function createErasure(
  config: Config,
  org: string,
  { caller, asked }: { caller: Caller; asked: NewErasure },
): Promise<Result<ErasureAnswer>> {
  const job = { id: newErasureId(), kind: KIND, request: asked satisfies ErasureRequest, by: caller } as const;
  return answered(config, { org, caller }, (jobs) => jobs.create(org, job));
}

/** An org's erasures, the newest first; `after` is the id of the last one seen. */
export async function listErasures(
  config: Config,
  org: string,
  { caller, after }: { caller: Caller; after: string | null },
): Promise<Result<{ data: ErasureAnswer[]; next_cursor: string | null }>> {
  const allowed = await permitErasures(config, org, caller);
  if (!allowed.ok) return allowed;
  const jobs = await callJobs(config, org, async (stub) => await stub.list(org, KIND, after));
  if (!jobs.ok) return jobs;
  const data = jobs.value.map(answerOf);
  return ok({ data, next_cursor: data.length < JOBS_PAGE_ENTRIES ? null : (data.at(-1)?.id ?? null) });
}

/** How an erasure stands; when it is over, its certificate. */
export async function getErasure(
  config: Config,
  org: string,
  { caller, id }: { caller: Caller; id: string },
): Promise<Result<ErasureAnswer>> {
  return answered(config, { org, caller }, async (jobs) => await jobs.get(org, KIND, id));
}

/** Ends an erasure that is not over: what went stays gone, the rest stays there. One that is over stays as it is. */
export async function cancelErasure(
  config: Config,
  org: string,
  { caller, id }: { caller: Caller; id: string },
): Promise<Result<ErasureAnswer>> {
  return answered(config, { org, caller }, (jobs) => jobs.cancel(org, KIND, { id, by: nameOf(caller) }));
}

/** What is asked of one erasure, by who may, and how it stands then. */
async function answered(
  config: Config,
  { org, caller }: { org: string; caller: Caller },
  ask: Parameters<typeof callJobs<Job>>[2],
): Promise<Result<ErasureAnswer>> {
  const allowed = await permitErasures(config, org, caller);
  if (!allowed.ok) return allowed;
  const job = await callJobs(config, org, ask);
  return job.ok ? ok(answerOf(job.value)) : job;
}

function permitErasures(config: Config, org: string, caller: Caller) {
  return callLedger(config, org, async (ledger) => await ledger.authorize(org, caller, "erasures:write"));
}

function answerOf({ id, state, request, progress, result, created_at, ended_at, error }: Job): ErasureAnswer {
  const { reason, sections } = JSON.parse(request) as ErasureRequest;
  const time = (at: number) => new Date(at).toISOString();
  return {
    id,
    state,
    reason,
    sections,
    created_at: time(created_at),
    ended_at: ended_at === null ? null : time(ended_at),
    error,
    progress: progress === null ? null : progressOf(JSON.parse(progress) as ErasureProgress),
    certificate: result === null ? null : (JSON.parse(result) as Certificate),
  };
}

function progressOf({ round, logs, at, causes }: ErasureProgress): ErasureAnswer["progress"] {
  const before = logs.filter(({ number }) => number < at.log).reduce((sum, { size }) => sum + size, 0);
  return {
    round,
    entries_searched: before + at.index,
    entries_total: logs.reduce((sum, { size }) => sum + size, 0),
    removed: removedBy(causes),
  };
}
