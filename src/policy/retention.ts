import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import type { Caller } from "../schema/caller.ts";
import type { OrgSettings } from "../schema/ledger.ts";
import { allDays, type Days, type RetentionPolicy } from "../schema/policy.ts";
import type { Category } from "../schema/names.ts";

/** A policy with the days of every category. */
type WholePolicy = { days: Record<Category, Days>; rules: RetentionPolicy["rules"] };

/** How long entries to come are kept. */
export async function getRetention(config: Config, org: string, caller: Caller): Promise<Result<WholePolicy>> {
  const scope = "policy:write";
  return wholeOf(await callLedger(config, org, async (ledger) => await ledger.settings(org, caller, scope)));
}

/** Changes how long entries to come are kept, and seals that. What is sealed already is kept as its leaf says. */
export async function putRetention(
  config: Config,
  org: string,
  { caller, policy }: { caller: Caller; policy: RetentionPolicy },
): Promise<Result<WholePolicy>> {
  return wholeOf(await callLedger(config, org, async (ledger) => await ledger.changeRetention(org, caller, policy)));
}

function wholeOf(settings: Result<OrgSettings>): Result<WholePolicy> {
  if (!settings.ok) return settings;
  const { retention } = settings.value;
  return ok({ days: allDays(retention), rules: retention.rules });
}
