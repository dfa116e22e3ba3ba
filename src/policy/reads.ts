import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { type Caller, nameOf } from "../schema/caller.ts";
import { PLATFORM_ORG } from "../schema/names.ts";
import type { CloseReads, Opening, OpenReads, ReadsView } from "../schema/reads.ts";
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
  const wishedBy = stands.value.enabled ? null : (stands.value.pending?.by ?? null);
  const known = await platformKeys(config, { wishedBy, asks: nameOf(caller) });
  if (!known.ok) return known;
  const opening = { asked, ...known.value };
  return callLedger(config, keeper, async (ledger) => await ledger.openReads(keeper, caller, of, opening));
}

/** What the directory knows of the keys of a wish and of its confirmation: a ledger has those of its org alone. */
async function platformKeys(
  { directory }: Config,
  { wishedBy, asks }: { wishedBy: string | null; asks: string },
): Promise<Result<Omit<Opening, "asked">>> {
  // Without a wish nothing is confirmed.
  if (wishedBy === null) return ok({ withdrawn: null, made_at: null });
  const keyOf = (name: string) => (name.startsWith("ind_p") ? readKey(directory, name) : undefined);
  try {
    const [wished, asking] = await Promise.all([keyOf(wishedBy), keyOf(asks)]);
    const holds = wished === undefined || (wished !== null && wished.revoked_at === null);
    return ok({ withdrawn: holds ? null : wishedBy, made_at: asking?.created_at ?? null });
  } catch {
    return refuse("overloaded", "Keys of the platform cannot be checked right now.", { retry_after_s: 5 });
  }
}
