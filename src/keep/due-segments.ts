import { listSegments, type Segment } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { RETENTION_PAGE_SEGMENTS } from "../limits.ts";
import type { LogGrant } from "../schema/ledger.ts";

/** One of an org's logs, and whether it is the newest. */
export type RunLog = { log: LogGrant; newest: boolean };

/**
 * The next segments of a log that a run has to read, in order: of the newest log those its ledger knows to hold what is due, or
 * (`unknown`) knows nothing of; of an earlier one, of which nobody remembers anything, all that R2 has.
 */
export async function dueSegments(
  config: Config,
  org: string,
  { log, newest, from, day, unknown }: RunLog & { from: number; day: string; unknown: boolean },
): Promise<Segment[]> {
  const limit = RETENTION_PAGE_SEGMENTS;
  // The list begins after the name that is asked for, of which an index is only the beginning.
  if (!newest) return unknown ? [] : listSegments(config.archive, { log: log.log, from, limit });
  const question = { from, day, unknown, limit };
  const due = await callLedger(config, org, async (ledger) => await ledger.dueSegments(org, question));
  if (!due.ok) throw new Error(due.refusal.detail);
  return due.value;
}
