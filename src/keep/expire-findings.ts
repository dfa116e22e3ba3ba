import { deleteEvidence, readEvidence } from "../archive/evidence.ts";
import { parseLeaf } from "../chain/leaf.ts";
import { parseRecord } from "../chain/open.ts";
import type { Config } from "../env.ts";
import { RETENTION_STEP_FINDINGS } from "../limits.ts";
import { logsOf } from "../query/logs.ts";
import { segmentsAlong } from "../query/name-segments.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { readFinding } from "./finding.ts";
import { holdingNow } from "./held-by.ts";
import { readThere } from "./read-there.ts";
import { whileFreed } from "./while-freed.ts";

/**
 * Takes some rows that repairs found in the place of entries whose day is over, but for those a hold covers: by the day that the entry has in R2, for
 * the row may say any. What lay where no entry is has no day. Answers how many went and the last one seen; `after` is null behind the last
 * there is. Where a hold was placed meanwhile it takes nothing, and is to be called again.
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
  const keys: string[] = [];
  for (const { key, text } of pieces) {
    const { at, places } = readFinding(text, logs);
    const until = at === null ? "forever" : await keptUntil(config, org, { grant, at });
    if (until !== "forever" && until < day && !places.some((place) => holding.covers(place))) keys.push(key);
  }
  const take = () => deleteEvidence(config.archive, keys);
  if (keys.length > 0 && !(await whileFreed(config, org, { version: holding.version, take })))
    return { gone: 0, after, again: true };
  const last = pieces.length < RETENTION_STEP_FINDINGS ? null : (pieces.at(-1)?.key ?? null);
  return { gone: keys.length, after: last, again: false };
}

/** Until which day an entry is kept; forever of one that is not in R2 as it was stored. */
async function keptUntil(
  config: Config,
  org: string,
  { grant, at: { log: number, index } }: { grant: ReadGrant; at: { log: number; index: number } },
): Promise<string> {
  const log = logsOf(grant).find((one) => one.number === number);
  if (log === undefined || index < 0 || index >= log.size) return "forever";
  const of = { log, newest: number === grant.number };
  const range = { low: index, high: index + 1, order: "asc", limit: 1 } as const;
  const named = await segmentsAlong(config, org, { ...of, ...range });
  const segment = named.find(({ first, last }) => first <= index && last >= index);
  const lines = segment === undefined ? null : await readThere(config, org, { of, segment });
  const leaf = parseLeaf(parseRecord(lines?.[index - (segment?.first ?? 0)] ?? "")?.leaf ?? "");
  return leaf.kind === "leaf" ? leaf.leaf.keep_until : "forever";
}
