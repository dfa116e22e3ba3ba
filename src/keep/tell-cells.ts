import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { cellOf, logsOf } from "../query/logs.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { findUncovered, saveCooled } from "../store/cold-slots.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { type Fault, reportFindings } from "../watch/report-findings.ts";

/** Writes into an org's cells what its ledger says is cold; answers it. */
export async function tellCells(config: Config, org: string): Promise<{ log: number; before: number }[]> {
  const logs = logsOf(await grantFor(config, org));
  for (const { number, cold_before: before, placements } of logs) {
    // After a crash the entry that says so may be in the ledger alone: D1 forgets only what R2 knows to be cold.
    const cooled = await callLedger(config, org, async (ledger) => await ledger.cool(org, { log: number, before }));
    if (!cooled.ok) throw new Error(cooled.refusal.detail);
    for (const placement of placements) {
      await saveCooled(cellOf(config, placement), { log: placement.log, org_number: placement.org_number, before });
    }
  }
  return logs.map(({ number, cold_before }) => ({ log: number, before: cold_before }));
}

/**
 * Makes known which rows of the newest log lie in `slots`, of months that are cold, though their entries are not: such a row
 * keeps its slot for ever. What is not archived yet may be of those months, and on its way.
 */
export async function reportMisplaced(config: Config, org: string, slots: readonly string[]): Promise<void> {
  const status = await callLedger(config, org, async (ledger) => await ledger.status(org));
  if (!status.ok) throw new Error(status.refusal.detail);
  const grant = await grantFor(config, org);
  const faults = await misplaced(config, grant, { slots, below: status.value.archived });
  await reportFindings(config, org, { by: "cooling", log: grant.log, newest: true, faults, now: Date.now() });
}

/** The last such row of each slot. */
async function misplaced(
  config: Config,
  { placements }: ReadGrant,
  { slots, below }: { slots: readonly string[]; below: number },
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const placement of placements) {
    const { org_number, cell } = placement;
    for (const slot of slots) {
      const [row] = await findUncovered(cellOf(config, placement), slot, { after: org_number - 1, limit: 1 });
      if (row?.org_number !== org_number || row.last >= below) continue;
      faults.push({ at: "d1", kind: "misplaced", index: row.last, place: `${cell} entry_${slot}` });
    }
  }
  return faults;
}
