import { readAbsenceList } from "../archive/absence-list.ts";
import type { Claimed } from "../chain/claims.ts";
import type { OpenClaims } from "../chain/verify.ts";
import { type Cause, causeOf, type Verdict } from "../chain/verify-causes.ts";
import { readRow } from "../chain/verify-row.ts";
import { checkSections } from "../chain/verify-sections.ts";
import type { Config } from "../env.ts";
import { VERIFY_MAX_LISTS } from "../limits.ts";
import { logsOf } from "../query/logs.ts";
import type { LogGrant, ReadGrant } from "../schema/ledger.ts";
import { sha256 } from "../sha256.ts";
import { ledgerLines } from "./ledger-lines.ts";
import { readArchive } from "./read-archive.ts";

/**
 * Judges what a walk found absent: by the cause, wherever in the org's logs it lies, and by the list that it commits to, from
 * the archive. A cause out of the walk's sight is read as the ledger, or of a log it does not hold any more R2, has it.
 */
export async function settleClaims(
  config: Config,
  org: string,
  { grant, claims }: { grant: ReadGrant; claims: OpenClaims },
): Promise<void> {
  for (const [n, { claimed, cause }] of claims.takeClaims().entries()) {
    const verdict: Verdict =
      n < VERIFY_MAX_LISTS
        ? await judge(config, org, { grant, claimed, cause })
        : { kind: "unknown", why: `one report looks at ${VERIFY_MAX_LISTS} causes: ask for fewer entries at once` };
    claims.settle(claimed, verdict);
  }
}

async function judge(
  config: Config,
  org: string,
  { grant, claimed, cause }: { grant: ReadGrant; claimed: Claimed; cause: Cause | null },
): Promise<Verdict> {
  const log = logsOf(grant).find(({ number }) => number === claimed.at.log);
  if (log === undefined) return { kind: "unexcused", why: `the org has no log ${claimed.at.log}` };
  const named = cause ?? (await causeAt(config, org, { log, newest: log.number === grant.number, by: claimed.at.by }));
  const verdict = claimed.judge(named);
  if (named === null || verdict.kind !== "excused") return verdict;
  const { list } = named;
  const text =
    typeof list === "string" ? null : await readAbsenceList(config.archive, { log: log.log, sha256: list.sha256 });
  return claimed.judgeList(sha256, { named: list, text });
}

/** An entry that is named as a cause; null where it is not, or not whole. */
async function causeAt(
  config: Config,
  org: string,
  { log, newest, by }: { log: LogGrant; newest: boolean; by: number },
): Promise<Cause | null> {
  if (by >= log.size) return null;
  const range = { first: by, high: by + 1 };
  const line = newest
    ? (await ledgerLines(config, org, range))[0]
    : (await readArchive(config.archive, log.log, { from: by, to: by + 1 })).lines.get(by);
  if (line === undefined) return null;
  const row = readRow(sha256, log.log, { index: by, line });
  if (row.claim !== "own") return null;
  const checked = checkSections(sha256, row.leaf, row.record);
  return checked.breaks.length === 0 ? causeOf(row.leaf, checked) : null;
}
