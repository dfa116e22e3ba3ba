import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { askDeploymentReads, callLedger } from "../ledger/client.ts";
import { type Caller, maySeeWhole, type Scope } from "../schema/caller.ts";
import type { LedgerStatus, OrgSettings, ReadGrant } from "../schema/ledger.ts";
import type { ReadsClosed } from "../schema/reads.ts";

/** Whether a caller may do something to an org, and as whom. */
export async function permit(
  config: Config,
  { org, caller, scope }: { org: string; caller: Caller; scope: Scope },
): Promise<Result<ReadGrant>> {
  const whileClosed = true;
  return callLedger(config, org, async (ledger) => await ledger.authorize(org, caller, scope, { whileClosed }));
}

/** An org's settings and size. Both are as public as its log, so the answer leaves no trace. */
export async function getOrg(config: Config, org: string, caller: Caller): Promise<Result<ReadGrant & OrgSettings>> {
  const grant = await permit(config, { org, caller, scope: "events:read" });
  if (!grant.ok) return grant;
  const whole = maySeeWhole(grant.value);
  if (!whole.ok) return whole;
  const settings = await callLedger(config, org, async (ledger) => await ledger.settings(org, caller, "events:read"));
  return settings.ok ? ok({ ...grant.value, ...settings.value }) : settings;
}

/** How an org stands, and the deployment's switch: undefined while nobody knows. */
export type OrgStatus = LedgerStatus & { deployment: ReadsClosed | null | undefined };

/** How an org's ledger, projection and archive stand. */
export async function getStatus(config: Config, org: string, caller: Caller): Promise<Result<OrgStatus>> {
  const allowed = await permit(config, { org, caller, scope: "operate" });
  if (!allowed.ok) return allowed;
  return withDeployment(config, await callLedger(config, org, async (ledger) => await ledger.status(org)));
}

async function withDeployment(config: Config, status: Result<LedgerStatus>): Promise<Result<OrgStatus>> {
  if (!status.ok) return status;
  try {
    return ok({ ...status.value, deployment: await askDeploymentReads(config) });
  } catch {
    return ok({ ...status.value, deployment: undefined });
  }
}

/** Begins an org's next log where the one it has cannot be rolled forward. */
export async function continueOrg(
  config: Config,
  org: string,
  { caller, reason }: { caller: Caller; reason: string },
): Promise<Result<OrgStatus>> {
  const continued = await callLedger(config, org, async (ledger) => await ledger.continueLog(org, caller, reason));
  return withDeployment(config, continued);
}

/** Empties an org's rows in D1 and lets projection make them anew from the archive and the ledger. */
export async function rebuildOrg(config: Config, org: string, caller: Caller): Promise<Result<OrgStatus>> {
  return withDeployment(config, await callLedger(config, org, async (ledger) => await ledger.rebuild(org, caller)));
}
