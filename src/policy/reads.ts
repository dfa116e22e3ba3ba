import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import type { Caller } from "../schema/caller.ts";
import { PLATFORM_ORG } from "../schema/names.ts";
import type { CloseReads, OpenReads, ReadsView } from "../schema/reads.ts";
import { readKey } from "../store/key.ts";

/** A switch by whose reading it stops: an org's, or (null) the whole deployment's, which org `platform` keeps. */
type Switch = { org: string | null; caller: Caller };

/** How a switch stands. */
export function getReads(config: Config, { org, caller }: Switch): Promise<Result<ReadsView>> {
  const of = org === null ? "deployment" : "org";
  const keeper = org ?? PLATFORM_ORG;
  return callLedger(config, keeper, async (ledger) => await ledger.reads(keeper, caller, of));
}

/** Stops reading; what is written goes on. Holds at once for an org, within 5 s everywhere for the deployment. */
export function closeReads(config: Config, { org, caller }: Switch, asked: CloseReads): Promise<Result<ReadsView>> {
  const of = org === null ? "deployment" : "org";
  const keeper = org ?? PLATFORM_ORG;
  return callLedger(config, keeper, async (ledger) => await ledger.closeReads(keeper, caller, of, asked));
}

/** Opens reading again, once what was closed is verified; in spite of breaks with a second key, and until then it stays closed. */
export async function openReads(config: Config, { org, caller }: Switch, asked: OpenReads): Promise<Result<ReadsView>> {
  const of = org === null ? "deployment" : "org";
  const keeper = org ?? PLATFORM_ORG;
  const stands = await getReads(config, { org, caller });
  if (!stands.ok) return stands;
  const withdrawn = stands.value.enabled ? ok(null) : await withdrawnKey(config, stands.value.wish?.by ?? null);
  if (!withdrawn.ok) return withdrawn;
  const opening = { asked, withdrawn: withdrawn.value };
  return callLedger(config, keeper, async (ledger) => await ledger.openReads(keeper, caller, of, opening));
}

/** The platform key that wished, if it is revoked by now: the ledger knows its org's keys only. */
async function withdrawnKey(config: Config, wishedBy: string | null): Promise<Result<string | null>> {
  if (wishedBy?.startsWith("ind_p") !== true) return ok(null);
  try {
    const key = await readKey(config.directory, wishedBy);
    return ok(key === null || key.revoked_at !== null ? wishedBy : null);
  } catch {
    return refuse("overloaded", "Keys of the platform cannot be checked right now.", { retry_after_s: 5 });
  }
}
