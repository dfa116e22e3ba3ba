import { readAbsenceList } from "../archive/absence-list.ts";
import { absenceListHash, parseAbsenceList } from "../chain/absence-list.ts";
import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { logsOf } from "../query/logs.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { sha256 } from "../sha256.ts";

/** Entries of the org's log of this number that a removal under way names: one store may have let go of what another still holds. */
export async function lateEntries(
  config: Config,
  org: string,
  { grant, number }: { grant: ReadGrant; number: number },
): Promise<Set<number>> {
  const underWay = await callLedger(config, org, async (ledger) => await ledger.removalsUnderWay(org));
  if (!underWay.ok) throw new Error(underWay.refusal.detail);
  const late = new Set<number>();
  for (const { list, by_log } of underWay.value.filter(({ log }) => log === number)) {
    const log = logsOf(grant).find((one) => one.number === by_log)?.log ?? "";
    const text = await readAbsenceList(config.archive, { log, sha256: list });
    // A list that is not what the cause commits to excuses nothing.
    const named = text !== null && absenceListHash(sha256, text) === list ? parseAbsenceList(text) : null;
    for (const index of named?.keys() ?? []) late.add(index);
  }
  return late;
}
