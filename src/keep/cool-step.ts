import type { Config } from "../env.ts";
import { assert } from "../errors.ts";
import type { Kind } from "../jobs/kind.ts";
import { callLedger } from "../ledger/client.ts";
import { logsOf } from "../query/logs.ts";
import type { LogGrant } from "../schema/ledger.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { reportFindings } from "../watch/report-findings.ts";
import { type ArchiveFault, type Proven, proveSome } from "./cool-log.ts";
import { reportMisplaced, tellCells } from "./tell-cells.ts";

/** What is to become cold: entries sequenced before `until`, the beginning of a month. `slots`: those of the months before. */
export type CoolRequest = { until: number; slots: string[] };

/** Which of the org's logs is being proven, by number, how far it is, and what kept others from becoming cold. */
type CoolProgress = { log: number; next: number; prev: string | null; faults: ArchiveFault[] };

/** Of each of the org's logs: entries below `before` are in R2 alone. */
export type Cooled = { logs: { log: number; before: number }[]; faults: ArchiveFault[] };

type Cooling = Kind<CoolRequest, CoolProgress, Cooled>;

/**
 * One step of making an org's old months cold, log by log, the oldest first: some segments are proven; at the end of a log its
 * ledger takes what is proven for cold; at the end of all, the cells are told. A step made again finds what it did.
 */
const coolStep: Cooling["step"] = async ({ config, org }, { until, slots }, progress) => {
  const grant = await grantFor(config, org);
  const logs = logsOf(grant).toReversed();
  const log = logs.find(({ number }) => number === (progress?.log ?? 1));
  assert(log !== undefined, "an org keeps its logs");
  const newest = log.number === grant.number;
  const at = progress ?? beginningOf(log, []);
  const proven = await proveSome(config, org, { log, newest, until }, at);
  const { next, prev } = proven;
  if (!proven.end) return { progress: { ...at, next, prev }, result: null };
  const faults = [...at.faults, ...(await faultsOf(config, org, { log, newest, proven }))];
  if (proven.fault === null && next > log.cold_before) {
    const cold = { log: log.number, before: next };
    const cooled = await callLedger(config, org, async (ledger) => await ledger.cool(org, cold));
    if (!cooled.ok) return cooled;
  }
  // A crash here, or below, leaves cells that do not know yet: made again, the step proves nothing anew and tells them.
  const following = logs.find(({ number }) => number === log.number + 1);
  if (following !== undefined) return { progress: beginningOf(following, faults), result: null };
  const told = await tellCells(config, org);
  // Where something could not be proven, rows of cold months are there by right.
  if (faults.length === 0) await reportMisplaced(config, org, slots);
  return { progress: { ...at, next, prev, faults }, result: { logs: told, faults } };
};

export const COOLING: Cooling = { step: coolStep };

function beginningOf({ number, cold_before }: LogGrant, faults: ArchiveFault[]): CoolProgress {
  return { log: number, next: cold_before, prev: null, faults };
}

/** What keeps a log from becoming cold, made known. */
async function faultsOf(
  config: Config,
  org: string,
  { log, newest, proven: { fault } }: { log: LogGrant; newest: boolean; proven: Proven },
): Promise<ArchiveFault[]> {
  if (fault === null) return [];
  const found = { by: "cooling", log: log.log, newest, faults: [{ at: "r2", ...fault }], now: Date.now() } as const;
  await reportFindings(config, org, found);
  return [fault];
}
