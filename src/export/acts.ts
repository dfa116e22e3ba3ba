import type { Config } from "../env.ts";
import type { Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import type { Act } from "../schema/act.ts";
import { type Caller, KEY_ACTOR, nameOf, type Network } from "../schema/caller.ts";
import type { ExportRequest } from "../schema/export.ts";

type Named = { org: string; id: string; by: Caller };
type Ending = "completed" | "cancelled" | "failed" | "flagged";

/** Seals that an export was asked for, with why and what; once, however often it is said. */
export function sealRequested(
  config: Config,
  { org, id, by }: Named,
  { request, network = {} }: { request: ExportRequest; network?: Network },
): Promise<Result<number>> {
  const { reason, query, format, from, to, sections, personal } = request;
  const context = Object.keys(network).length === 0 ? {} : { context: { ...network } };
  const metadata = { format, from, to, sections, personal };
  const act = { ...actOf(id, nameOf(by), "requested"), note: { reason, query }, ...context, metadata };
  return seal(config, org, { once: id, act });
}

/** Seals what became of an export, once for each way it did (`as`); `by` whom, where it was not the service. */
export function sealEnding(
  config: Config,
  { org, id }: Pick<Named, "org" | "id">,
  { by, ending, metadata, as }: { by: string; ending: Ending; metadata: Record<string, unknown>; as?: string },
): Promise<Result<number>> {
  const named = as === undefined ? id : `${id} ${as}`;
  return seal(config, org, { once: named, act: { ...actOf(id, by, ending), metadata } });
}

function actOf(id: string, key: string, what: "requested" | Ending) {
  const actor = { type: KEY_ACTOR, id: key };
  return {
    action: `indelible.export.${what}` as const,
    category: "log_access" as const,
    actor,
    key,
    targets: [{ type: "export", id }],
    // Whether an entry was taken out is told by these alone, however long it is kept.
    forever: true,
  } satisfies Act;
}

/** Two spaces are in no client's name for a batch. */
function seal(config: Config, org: string, { once, act }: { once: string; act: Act }): Promise<Result<number>> {
  return callLedger(config, org, async (ledger) => await ledger.recordAct(org, act, `${act.action}  ${once}`));
}
