import { putAbsenceList } from "../archive/absence-list.ts";
import { type AbsenceList, absenceListHash, absenceListText } from "../chain/absence-list.ts";
import type { Config } from "../env.ts";
import { assert, ok, refuse, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { ABSENCE_LIST_MAX_BYTES, ABSENCE_LIST_MAX_ENTRIES } from "../limits.ts";
import type { NewCause, Removal } from "../schema/keep.ts";
import { sha256 } from "../sha256.ts";
import { grantFor } from "../verify/confirm-faults.ts";

/** What is to go: sections of entries of the log of this number, found while the holds of this version stood. */
export type Beginning = Omit<NewCause, "list"> & { list: AbsenceList };

/**
 * Seals the cause of a removal, after its list was put beside the leaves; nothing has gone yet when it returns. Refused with `conflict` when a hold
 * was placed meanwhile. Called again under the same `once`, it answers the same cause.
 */
export async function beginRemoval(config: Config, org: string, asked: Beginning): Promise<Result<Removal>> {
  const { cause, log, before, list } = asked;
  const text = absenceListText(list);
  assert(list.size > 0 && list.size <= ABSENCE_LIST_MAX_ENTRIES, "a list is bounded by its entries");
  assert(text.length <= ABSENCE_LIST_MAX_BYTES, "a list is bounded by its bytes");
  const grant = await grantFor(config, org);
  if (log === grant.number) {
    const top = Math.max(...list.keys()) + 1;
    const settled = await callLedger(config, org, async (ledger) => await ledger.settleBelow(org, top));
    if (!settled.ok) return settled;
  }
  const hash = absenceListHash(sha256, text);
  await putAbsenceList(config.archive, { log: grant.log, sha256: hash, text });
  // A crash here leaves a list that nothing names; whoever tries again finds it there.
  const sections = text.split("\n").length - 1;
  const summary = { sha256: hash, entries: list.size, sections };
  const sealed = await callLedger(
    config,
    org,
    async (ledger) => await ledger.sealCause(org, { ...asked, list: summary }),
  );
  if (!sealed.ok) return sealed;
  // The list of a cause lies under its log.
  if (sealed.value.by_log !== grant.number) return refuse("conflict", "The org's log was continued meanwhile.");
  const day = before === undefined ? {} : { before };
  return ok({ cause, log, ...day, list: hash, ...sealed.value });
}
