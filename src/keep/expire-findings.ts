import { deleteEvidence, readEvidence } from "../archive/evidence.ts";
import type { Segment } from "../archive/segment.ts";
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
  const keptUntil = daysIn(config, org, grant);
  for (const { key, text } of pieces) {
    const { at, places } = readFinding(text, logs);
    const until = at === null ? "forever" : await keptUntil(at);
    if (until !== "forever" && until < day && !places.some((place) => holding.covers(place))) keys.push(key);
  }
  const take = () => deleteEvidence(config.archive, keys);
  if (keys.length > 0 && !(await whileFreed(config, org, { version: holding.version, take })))
    return { gone: 0, after, again: true };
  const last = pieces.length < RETENTION_STEP_FINDINGS ? null : (pieces.at(-1)?.key ?? null);
  return { gone: keys.length, after: last, again: false };
}

/** Reads until which day entries are kept: forever those that are not in R2 as they were stored. What lay side by side is of one segment, which is read once. */
function daysIn(
  config: Config,
  org: string,
  grant: ReadGrant,
): (at: { log: number; index: number }) => Promise<string> {
  let read: { log: number; segment: Segment; lines: string[] | null } | null = null;
  return async ({ log: number, index }) => {
    const log = logsOf(grant).find((one) => one.number === number);
    if (log === undefined || index < 0 || index >= log.size) return "forever";
    const isThere = ({ first, last }: Segment) => first <= index && last >= index;
    if (read?.log !== number || !isThere(read.segment)) {
      const of = { log, newest: number === grant.number };
      const range = { low: index, high: index + 1, order: "asc", limit: 1 } as const;
      const segment = (await segmentsAlong(config, org, { ...of, ...range })).find(isThere);
      if (segment === undefined) return "forever";
      read = { log: number, segment, lines: await readThere(config, org, { of, segment }) };
    }
    const leaf = parseLeaf(parseRecord(read.lines?.[index - read.segment.first] ?? "")?.leaf ?? "");
    return leaf.kind === "leaf" ? leaf.leaf.keep_until : "forever";
  };
}
