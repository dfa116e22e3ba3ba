import { base64url, utf8 } from "../chain/encoding.ts";
import { genesisPrev } from "../chain/genesis.ts";
import { createWalk, type Report } from "../chain/verify.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { newRequestId } from "../ids.ts";
import { callLedger } from "../ledger/client.ts";
import { VERIFY_MAX_BREAKS, VERIFY_REST_LISTS } from "../limits.ts";
import { log } from "../log.ts";
import { coldLines } from "../query/cold-lines.ts";
import { logOf } from "../query/logs.ts";
import { type Reader, traced } from "../query/traced.ts";
import { maySeeWhole } from "../schema/caller.ts";
import type { LeaseAct, LogGrant, ReadGrant } from "../schema/ledger.ts";
import type { VerifyRun } from "../schema/reads.ts";
import { sha256 } from "../sha256.ts";
import { addBeyond, addCold, addPending, addRows } from "./feed-walk.ts";
import { lowestOf } from "./lowest-index.ts";
import { settleClaims } from "./settle-claims.ts";

/**
 * What is to be checked: entries `[from, to)`, by default all. `expect` is the entry hash (base64url) of index `to - 1`
 * that the caller trusts, from a receipt or an earlier report; without it, a range that ends at the head rests on the
 * ledger's head, and any other is only checked in itself. `log` is the number of the org's log, null its newest; of an earlier
 * one what the ledger vouched for is checked, and what only a checkpoint covers is for `indelible verify`.
 */
export type VerifyRange = { from: number; to: number | null; expect: string | null; log: number | null };

/** `log` is the origin of the log that was checked. */
export type VerifyReport = Report & {
  log: string;
  pending: number;
  /** Whether the ledger keeps that this run ended, and how: for opening reads that were closed. */
  on_record: boolean;
  continue_from: number | null;
  continue_expect: string | null;
};

/** A step is a page; ten of them take well under the lease. */
const RENEW_STEPS = 10;

export type VerifyStep = { progress: { checked: number; total: number; breaks: number } } | { report: VerifyReport };

/**
 * Recomputes every section, leaf and link of a range from what D1 holds, and R2 of what is cold, from the newest entry to the
 * oldest. One call checks a bounded number and says from where to go on. Entries still on their way to D1 come from the
 * ledger: `pending`.
 */
export async function verifyLog(
  config: Config,
  reader: Reader,
  range: VerifyRange,
): Promise<Result<{ steps: AsyncGenerator<VerifyStep>; read_index: number | null }>> {
  const log = range.log === null ? {} : { log: String(range.log) };
  const to = range.to === null ? "head" : String(range.to);
  const filter = new URLSearchParams({ from: String(range.from), to, ...log });
  const { org } = reader;
  const holder = newRequestId();
  const lease = (act: LeaseAct) =>
    callLedger(config, org, async (ledger) => await ledger.leaseVerify(org, holder, act));
  const begun = await traced(config, reader, {
    route: "verify",
    filter: filter.toString(),
    // A report names entries and shows none; without it reads could never be opened again.
    whileClosed: true,
    read: async (grant) => {
      const whole = maySeeWhole(grant);
      if (!whole.ok) return whole;
      const leased = await lease("take");
      if (!leased.ok) return leased;
      const chosen = logOf(grant, range.log);
      if (!chosen.ok) return chosen;
      const { size, number } = chosen.value;
      const to = Math.min(range.to ?? size, size);
      const newest = number === grant.number;
      const from = await lowestOf(config, org, { log: chosen.value, newest, from: range.from, to });
      // Indexes in a trace are of the log it stands in.
      const covered = from === to || !newest ? null : { from, to: to - 1 };
      const begun = { log: grant.number, size: grant.size };
      const task = { org: grant, grant: chosen.value, newest, from, to, begun, by: grant.key };
      return ok({ answer: task, results: to - from, range: covered });
    },
  });
  if (!begun.ok) return begun;
  const { answer, read_index } = begun.value;
  return ok({ steps: leased(walk(config, org, { ...answer, range }), lease), read_index });
}

/** Renews the lease while steps are taken, and lets go at the end, whichever end it is. */
async function* leased(
  steps: AsyncGenerator<VerifyStep>,
  lease: (act: LeaseAct) => Promise<Result<null>>,
): AsyncGenerator<VerifyStep> {
  let taken = 0;
  try {
    for await (const step of steps) {
      yield step;
      if (++taken % RENEW_STEPS === 0) await lease("take");
    }
  } finally {
    await lease("release");
  }
}

type Task = {
  org: ReadGrant;
  grant: LogGrant;
  newest: boolean;
  from: number;
  to: number;
  range: VerifyRange;
  begun: VerifyRun["begun"];
  by: string;
};

async function* walk(
  config: Config,
  org: string,
  { org: all, grant, newest, from: lowest, to, range, begun, by }: Task,
): AsyncGenerator<VerifyStep> {
  const atHead = to === grant.size;
  const trusted = range.expect ?? (atHead ? grant.head : null);
  const genesis = lowest === 0 ? genesisPrev(sha256, { origin: grant.log, predecessor: grant.predecessor }) : null;
  const size = to;
  const bounds = { maxBreaks: VERIFY_MAX_BREAKS, maxClaims: VERIFY_REST_LISTS };
  const walked = createWalk(sha256, { log: grant.log, genesis, size, from: lowest, trusted, ...bounds });
  const total = to - lowest;
  if (atHead && newest) await addBeyond(config, org, { grant, walked });
  const pendingFrom = Math.max(lowest, Math.min(grant.visible, to));
  for (let high = to; high > pendingFrom && !walked.progress().stopped; ) {
    high = await addPending(config, org, { walked, low: pendingFrom, high });
  }
  const progress = () => {
    const { checked, breaks } = walked.progress();
    return { progress: { checked, total, breaks } };
  };
  let cold = Math.min(Math.max(lowest, grant.cold_before), pendingFrom);
  for (let high = pendingFrom; high > cold && !walked.progress().stopped; ) {
    ({ high, cold } = await addRows(config, org, { grant, walked, low: cold, high }));
    yield progress();
  }
  const archived = { log: grant, newest, low: lowest, high: cold, order: "desc", unvouched: true } as const;
  for await (const run of coldLines(config, org, archived)) {
    if (walked.progress().stopped) break;
    addCold(walked, run);
    yield progress();
  }
  await settleClaims(config, org, { grant: all, claims: walked.claims() });
  const report = walked.report();
  const next = walked.next();
  const { from } = walked.progress();
  const more = from > range.from && report.stopped_at === null;
  const atTrustedHead = atHead && (range.expect === null || range.expect === grant.head);
  const rests_on = atTrustedHead ? ("head" as const) : { expect: range.expect };
  const prev = report.stopped_at === null ? next.trusted : null;
  const found = { ok: report.ok, breaks: report.breaks.length, breaks_sha256: digestOf(report.breaks) };
  const run = { log: grant.number, from, to, begun, rests_on, prev, ...found, by };
  const on_record = await recorded(config, org, run);
  yield {
    report: {
      ...report,
      log: grant.log,
      pending: to - pendingFrom,
      on_record,
      continue_from: more ? from : null,
      continue_expect: more ? next.trusted : null,
    },
  };
}

/** Breaks come in the order of the walk: the same ones give the same text. Null of none. */
function digestOf(breaks: Report["breaks"]): string | null {
  return breaks.length === 0 ? null : base64url(sha256(utf8(JSON.stringify(breaks))));
}

/** Puts a finished run on record; one the ledger did not take is simply not there, and the report says so. */
async function recorded(config: Config, org: string, run: VerifyRun): Promise<boolean> {
  try {
    const answer = await callLedger(config, org, async (ledger) => await ledger.recordRun(org, run));
    return answer.ok && answer.value;
  } catch (error) {
    log("warn", { message: "a verification was not put on record", org, error: String(error) });
    return false;
  }
}
