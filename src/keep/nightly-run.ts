import type { Config } from "../env.ts";
import { callJobs } from "../jobs/client.ts";
import { callLedger } from "../ledger/client.ts";
import type { Caller } from "../schema/caller.ts";
import { utcDay } from "../schema/policy.ts";
import type { RunRequest } from "../schema/retention.ts";

/**
 * Begins an org's run of the day, once, where its ledger knows of a segment that may hold what is due, or has logs before the
 * newest, of which nobody remembers that. Answers whether there was anything to look at.
 */
export async function startNightlyRun(config: Config, org: string, now: number): Promise<boolean> {
  const day = utcDay(now);
  if (!(await mayBeDue(config, org, day))) return false;
  const request: RunRequest = { day, dry_run: false, after: null };
  const by: Caller = { kind: "trusted", name: "service", scopes: ["policy:write"], orgs: [org] };
  const id = `run_nightly_${day}`;
  const created = await callJobs(config, org, (jobs) => jobs.create(org, { id, kind: "retention", request, by }));
  if (!created.ok) throw new Error(created.refusal.detail);
  return true;
}

async function mayBeDue(config: Config, org: string, day: string): Promise<boolean> {
  const status = await callLedger(config, org, async (ledger) => await ledger.status(org));
  if (!status.ok) throw new Error(status.refusal.detail);
  if (status.value.earlier.length > 0) return true;
  for (const unknown of [false, true]) {
    const question = { from: 0, day, unknown, limit: 1 };
    const due = await callLedger(config, org, async (ledger) => await ledger.dueSegments(org, question));
    if (!due.ok) throw new Error(due.refusal.detail);
    if (due.value.length > 0) return true;
  }
  return false;
}
