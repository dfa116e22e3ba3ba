import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { cellOf, logsOf } from "../query/logs.ts";
import type { LogGrant } from "../schema/ledger.ts";
import { findUncovered, saveCooled } from "../store/cold-slots.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { reportFindings } from "../watch/report-findings.ts";

/**
 * Writes into an org's cells what its ledger says is cold. A row that lies in one of `slots`, of cold months, and is not cold is
 * in the wrong place: it would keep that slot for ever, so it is made known.
 */
export async function tellCells(
  config: Config,
  org: string,
  slots: readonly string[],
): Promise<{ log: number; before: number }[]> {
  const grant = await grantFor(config, org);
  for (const log of logsOf(grant)) {
    for (const placement of log.placements) {
      const { org_number } = placement;
      await saveCooled(cellOf(config, placement), { org_number, before: log.cold_before });
    }
  }
  const archived = await archivedSize(config, org);
  for (const log of logsOf(grant)) {
    const newest = log.number === grant.number;
    // Of a log that is not cold up to its end, entries of cold months may be on their way.
    const faults = await misplaced(config, log, { slots, below: newest ? archived : log.cold_before });
    await reportFindings(config, org, { by: "cooling", log: log.log, newest, faults, now: Date.now() });
  }
  return logsOf(grant).map(({ number, cold_before }) => ({ log: number, before: cold_before }));
}

/** Rows of archived entries in slots of months that are cold, though they are not: one for each slot. */
async function misplaced(
  config: Config,
  { placements }: LogGrant,
  { slots, below }: { slots: readonly string[]; below: number },
): Promise<{ at: string; kind: string; index: number; place: string }[]> {
  const faults: { at: string; kind: string; index: number; place: string }[] = [];
  for (const placement of placements) {
    for (const slot of slots) {
      const held = { after: placement.org_number - 1, limit: 1 };
      const [row] = await findUncovered(cellOf(config, placement), slot, held);
      if (row?.org_number !== placement.org_number || row.last >= below) continue;
      faults.push({ at: "d1", kind: "misplaced", index: row.last, place: `${placement.cell} entry_${slot}` });
    }
  }
  return faults;
}

async function archivedSize(config: Config, org: string): Promise<number> {
  const status = await callLedger(config, org, async (ledger) => await ledger.status(org));
  if (!status.ok) throw new Error(status.refusal.detail);
  return status.value.archived;
}
