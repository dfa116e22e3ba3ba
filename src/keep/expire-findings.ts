import { deleteEvidence, readEvidence } from "../archive/evidence.ts";
import type { Config } from "../env.ts";
import { RETENTION_STEP_FINDINGS } from "../limits.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { logsOf } from "../query/logs.ts";
import { readFinding } from "./finding.ts";
import { holdingNow } from "./held-by.ts";
import { whileFreed } from "./while-freed.ts";

/**
 * Takes some rows that repairs found whose own day is over, but for those a hold covers. What nobody can read has no day. Answers how many went and
 * the last one seen; `after` is null behind the last there is. Where a hold was placed meanwhile it takes nothing, and is to be called again.
 */
export async function expireFindings(
  config: Config,
  grant: ReadGrant,
  { org, day, after }: { org: string; day: string; after: string | null },
): Promise<{ gone: number; after: string | null; again: boolean }> {
  const logs = logsOf(grant);
  // The logs of an org lie under the name of its first.
  const first = logs.find(({ number }) => number === 1)?.log ?? grant.log;
  const holding = await holdingNow(config, org);
  const pieces = await readEvidence(config.archive, { log: first, after, limit: RETENTION_STEP_FINDINGS });
  const due = pieces.filter(({ text }) => {
    const { leaf, place } = readFinding(text, logs);
    return leaf !== null && leaf.keep_until !== "forever" && leaf.keep_until < day && !holding.covers(place);
  });
  const keys = due.map(({ key }) => key);
  const take = () => deleteEvidence(config.archive, keys);
  if (keys.length > 0 && !(await whileFreed(config, org, { version: holding.version, take })))
    return { gone: 0, after, again: true };
  const last = pieces.length < RETENTION_STEP_FINDINGS ? null : (pieces.at(-1)?.key ?? null);
  return { gone: keys.length, after: last, again: false };
}
