import type { Config } from "../env.ts";
import { ok, type Refusal, refuse, type Result } from "../errors.ts";
import { exportIdOf } from "../ids.ts";
import { callJobs } from "../jobs/client.ts";
import { callLedger } from "../ledger/client.ts";
import { log } from "../log.ts";
import { asksPersonal } from "../query/query.ts";
import type { Caller, Network } from "../schema/caller.ts";
import type { ExportAnswer, ExportRequest, NewExport } from "../schema/export.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { sealEnding, sealRequested } from "./acts.ts";
import { exportAnswer } from "./answer.ts";
import { readSentFilter } from "../query/sent-filter.ts";
import { permitStep } from "./permit-step.ts";

type Asked = { caller: Caller; asked: NewExport; network: Network; idempotencyKey: string | null; now: number };

/** Whether a caller has to do with exports of an org: also while reads are closed, for an export may have to be ended. */
export function permitExports(config: Config, org: string, caller: Caller): Promise<Result<ReadGrant>> {
  const scope = "exports:write";
  return callLedger(config, org, async (ledger) => await ledger.authorize(org, caller, scope));
}

/**
 * Begins an export and answers how it stands. When it returns, that it was asked for is sealed and the job is kept; sent
 * again with its `Idempotency-Key` it is the same one.
 */
export async function createExport(
  config: Config,
  org: string,
  { caller, asked, network, idempotencyKey, now }: Asked,
): Promise<Result<ExportAnswer>> {
  const allowed = await permitExports(config, org, caller);
  if (!allowed.ok) return allowed;
  const granted = await permitStep(config, org, caller);
  if (!granted.ok) return granted;
  const filter = readSentFilter(asked);
  if (!filter.ok) return filter;
  const { personal } = granted.value;
  if (asksPersonal(filter.value.filter) && !personal) {
    return refuse("forbidden", "Filters on ip, session_id and request_id need the scope personal:read.");
  }
  const { format, reason, from = null, to = null, sections = null } = asked;
  const question = { format, reason, filter: asked.filter ?? null, from, to, sections };
  const request: ExportRequest = { ...question, query: filter.value.text, personal };
  const named = { org, id: exportIdOf(org, idempotencyKey), by: caller };
  // A crash after this leaves an entry of an export that never was, which harms nobody.
  const sealed = await sealRequested(config, named, { request, network });
  if (!sealed.ok) return sealed;
  const { id } = named;
  const job = await callJobs(config, org, async (jobs) => {
    return await jobs.create(org, { id, kind: "export", request, by: caller });
  });
  if (job.ok) return ok(exportAnswer(config, org, { job: job.value, caller, grant: granted.value, now }));
  if (job.refusal.code === "rate_limited") await sealNever(config, named, job.refusal);
  return job;
}

/** That nothing came of what was asked for. */
async function sealNever(config: Config, { org, id }: { org: string; id: string }, { detail }: Refusal): Promise<void> {
  const ended = { by: "service", ending: "failed", metadata: { error: detail } } as const;
  const sealed = await sealEnding(config, { org, id }, ended);
  if (!sealed.ok) log("warn", { message: "an export that never began is not said to have ended", org, export: id });
}
