import { stillHolds } from "../auth/authenticate.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { deploymentOpen } from "../query/deployment-reads.ts";
import { logsOf } from "../query/logs.ts";
import { type Caller, maySeeWhole } from "../schema/caller.ts";
import type { ReadGrant } from "../schema/ledger.ts";

/**
 * Whether entries may be read for who asked for an export, as at any read: its key may be revoked, and reading stopped,
 * while a job is under way.
 */
export async function permitStep(config: Config, org: string, by: Caller): Promise<Result<ReadGrant>> {
  const holds = await stillHolds(config, by, Date.now());
  if (!holds.ok) return holds;
  const scope = "events:read";
  const grant = await callLedger(config, org, async (ledger) => await ledger.authorize(org, by, scope));
  if (!grant.ok) return grant;
  const [whole, everywhere] = [maySeeWhole(grant.value), await deploymentOpen(config)];
  if (!whole.ok) return whole;
  return everywhere.ok ? ok(grant.value) : everywhere;
}

/** The quarantines that stand. */
export function quarantinesOf(grant: ReadGrant): string[] {
  return [...new Set(logsOf(grant).flatMap(({ quarantined }) => quarantined.map(({ id }) => id)))];
}
