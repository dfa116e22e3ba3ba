import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Job, JobKind } from "../../src/schema/job.ts";
import { must } from "./check/check-entry.ts";
import { later } from "./check-ledger.ts";

/** A test's job that takes longer is stuck. */
const PATIENCE_MS = 40_000;
const PAUSE_MS = 5;

export async function jobOf(org: string, kind: JobKind, id: string): Promise<Job> {
  const found = await env.ORG_JOBS.getByName(org).get(org, kind, id);
  must(found.ok, `no job ${id}`);
  return found.value;
}

/** Takes the step that is due next as if its time had come, but lets no result lapse; waits for the one that the platform's own alarm takes. */
export async function stepJobs(org: string): Promise<void> {
  const stub = env.ORG_JOBS.getByName(org);
  const due = await runInDurableObject(stub, (_, { storage }) =>
    Number(storage.sql.exec("select min(due_at) as due_at from job where state <> 'done'").one()["due_at"] ?? 0),
  );
  const taken = await later(Math.max(0, due - Date.now()), () => runDurableObjectAlarm(stub));
  if (!taken) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

/** Takes steps until a job has ended, however it did. */
export async function finishJob(org: string, kind: JobKind, id: string): Promise<Job> {
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; ) {
    const job = await jobOf(org, kind, id);
    if (job.ended_at !== null) return job;
    await stepJobs(org);
  }
  throw new Error(`job ${id} does not end`);
}
