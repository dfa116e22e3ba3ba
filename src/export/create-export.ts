import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { exportIdOf } from "../ids.ts";
import { callJobs } from "../jobs/client.ts";
import { callLedger } from "../ledger/client.ts";
import { asksPersonal } from "../query/query.ts";
import type { Caller, Network } from "../schema/caller.ts";
import type { ExportAnswer, ExportRequest, NewExport } from "../schema/export.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { sealRequested } from "./acts.ts";
import { exportAnswer } from "./answer.ts";
import { exportFilter } from "./filter.ts";
import { permitStep } from "./permit-step.ts";

type Asked = { caller: Caller; asked: NewExport; network: Network; idempotencyKey: string | null; now: number };

/** Whether a caller has to do with exports of an org: also while reads are closed, for an export may have to be ended. */
export function permitExports(config: Config, org: string, caller: Caller): Promise<Result<ReadGrant>> {
  const scope = "exports:write";
  return callLedger(config, org, async (ledger) => await ledger.authorize(org, caller, scope));
}

/**
 * Begins an export and answers how it stands. When it returns, the job is kept and that it was asked for is sealed; sent
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
  const filter = exportFilter(asked);
  if (!filter.ok) return filter;
  const { personal } = granted.value;
  if (asksPersonal(filter.value.filter) && !personal) {
    return refuse("forbidden", "Filters on ip, session_id and request_id need the scope personal:read.");
  }
  const { format, reason, from = null, to = null, sections = null } = asked;
  const { query } = filter.value;
  // A request sent again has another id of its own; it is no other question for that.
  const { request_id: _, ...stable } = idempotencyKey === null ? { request_id: null, ...network } : network;
  const known = idempotencyKey === null ? network : stable;
  const request: ExportRequest = {
    ...{ format, reason, from, to, sections, query, personal, network: known },
    filter: asked.filter ?? null,
  };
  const id = exportIdOf(org, idempotencyKey);
  const job = await callJobs(
    config,
    org,
    async (jobs) => await jobs.create(org, { id, kind: "export", request, by: caller }),
  );
  if (!job.ok) return job;
  const sealed = await sealRequested(config, { org, id, by: caller }, request);
  return sealed.ok ? ok(exportAnswer(config, org, { job: job.value, caller, grant: granted.value, now })) : sealed;
}
