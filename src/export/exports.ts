import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callJobs } from "../jobs/client.ts";
import { EXPORT_MISSING_SHOWN_RUNS, JOBS_PAGE_ENTRIES } from "../limits.ts";
import { type Caller, nameOf } from "../schema/caller.ts";
import type { ExportAnswer } from "../schema/export.ts";
import { sealEnding } from "./acts.ts";
import { exportAnswer } from "./answer.ts";
import { permitExports } from "./create-export.ts";
import { firstMissing } from "./missing.ts";

type Asking = { caller: Caller; now: number };
type ExportPage = { data: ExportAnswer[]; next_cursor: string | null };

/** An org's exports, the newest first; `after` is the id of the last one seen. */
export async function listExports(
  config: Config,
  org: string,
  { caller, now, after }: Asking & { after: string | null },
): Promise<Result<ExportPage>> {
  const granted = await permitExports(config, org, caller);
  if (!granted.ok) return granted;
  const jobs = await callJobs(config, org, async (stub) => await stub.list(org, "export", after));
  if (!jobs.ok) return jobs;
  const grant = granted.value;
  // A list tells of exports; pieces, links, and what is missing in full are of one.
  const data = jobs.value.map((job) => {
    const answer = exportAnswer(config, org, { job, caller, grant, now });
    return { ...answer, missing: firstMissing(answer.missing, EXPORT_MISSING_SHOWN_RUNS), parts: [], links: null };
  });
  const next_cursor = data.length < JOBS_PAGE_ENTRIES ? null : (data.at(-1)?.id ?? null);
  return ok({ data, next_cursor });
}

/** How an export stands, with fresh links once it is done. */
export async function getExport(
  config: Config,
  org: string,
  { caller, now, id }: Asking & { id: string },
): Promise<Result<ExportAnswer>> {
  const granted = await permitExports(config, org, caller);
  if (!granted.ok) return granted;
  const job = await callJobs(config, org, async (stub) => await stub.get(org, "export", id));
  return job.ok ? ok(exportAnswer(config, org, { job: job.value, caller, grant: granted.value, now })) : job;
}

/** Ends an export that is not over and removes what there is of it; one that is over stays as it is. */
export async function cancelExport(
  config: Config,
  org: string,
  { caller, now, id }: Asking & { id: string },
): Promise<Result<ExportAnswer>> {
  const granted = await permitExports(config, org, caller);
  if (!granted.ok) return granted;
  const by = nameOf(caller);
  const job = await callJobs(config, org, async (stub) => await stub.cancel(org, "export", { id, by }));
  if (!job.ok) return job;
  if (job.value.state === "cancelled") {
    // The job's own last step says it as well, once, should this not come to it.
    const sealed = await sealEnding(config, { org, id }, { by: job.value.ended_by ?? by, ...CANCELLED });
    if (!sealed.ok) return sealed;
  }
  return ok(exportAnswer(config, org, { job: job.value, caller, grant: granted.value, now }));
}

const CANCELLED = { ending: "cancelled", metadata: { error: null } } as const;
