import type { Config } from "../env.ts";
import { replayParked } from "../ingest/dead-letters.ts";
import { newBatchId } from "../ids.ts";
import { callJobs } from "../jobs/client.ts";
import { sweepCells } from "../keep/sweep-cells.ts";
import { callLedger } from "../ledger/client.ts";
import { COOL_SWEEP_MINUTES, JOBS_WAKE_ORGS_PER_RUN, TURN_ORGS_PER_RUN, WATCHDOG_ORGS_PER_RUN } from "../limits.ts";
import { log } from "../log.ts";
import { listLagging } from "../store/ledger-gauge.ts";
import { listOrgs } from "../store/org.ts";
import { takeTurn } from "../store/sample-turn.ts";
import { listUnfinishedOrgs } from "../store/unfinished-job.ts";
import { runCanaries } from "./canaries.ts";
import { flushMetrics } from "./flush-metrics.ts";
import { startNightlyRuns } from "./nightly-runs.ts";
import { sampleOrgs } from "./sample.ts";

/**
 * The net under alarms, which do get lost: replays what is parked, and knocks at a bounded number of ledgers and of orgs'
 * jobs; once an hour it lets months that are cold leave their cells. Beside that it looks whether entries are where they
 * belong: in canaries every minute, in each org once a day; and once a day it lets go of what of each org has expired.
 */
export async function watch(config: Config, now: number): Promise<void> {
  const { placeChecks } = config;
  const orgs = await turnOf(config, now);
  await Promise.allSettled([
    replayParked(config, now),
    knock(config),
    knockForJobs(config, now),
    Math.floor(now / 60_000) % COOL_SWEEP_MINUTES === 0 ? sweepCells(config, now) : null,
    placeChecks === "on" ? runCanaries(config, now) : null,
    placeChecks === "off" ? null : sampleOrgs(config, orgs, now),
    startNightlyRuns(config, orgs, now),
  ]);
  await flushMetrics(config, { force: true });
}

/** The orgs whose turn of the day it is. */
async function turnOf(config: Config, now: number): Promise<string[]> {
  try {
    return await takeTurn(config.directory, { now, limit: TURN_ORGS_PER_RUN });
  } catch (error) {
    log("warn", { message: "no org had its turn", error: String(error) });
    return [];
  }
}

/**
 * Knocks at ledgers that said they lag, and at as many others from a place drawn anew each time: one that lost its alarm
 * before it could say so is found as well, sooner or later.
 */
async function knock(config: Config): Promise<void> {
  const half = WATCHDOG_ORGS_PER_RUN / 2;
  const [lagging, others] = await Promise.all([
    listLagging(config.directory, half),
    listOrgs(config.directory, { after: newBatchId().slice(4, 8), limit: half }),
  ]);
  // Past the last name the round begins again.
  const again =
    others.length < half ? await listOrgs(config.directory, { after: null, limit: half - others.length }) : [];
  const orgs = [...new Set([...lagging, ...others.map(({ org }) => org), ...again.map(({ org }) => org)])];
  const knocks = orgs.map((org) => callLedger(config, org, async (ledger) => await ledger.wake(org)));
  for (const [n, knocked] of (await Promise.allSettled(knocks)).entries()) {
    if (knocked.status === "rejected") {
      log("warn", { message: "a ledger did not wake", org: orgs[n], error: String(knocked.reason) });
    }
  }
}

/** Knocks at orgs whose jobs have something to do. */
async function knockForJobs(config: Config, now: number): Promise<void> {
  const orgs = await listUnfinishedOrgs(config.directory, { now, limit: JOBS_WAKE_ORGS_PER_RUN });
  const knocks = orgs.map((org) => callJobs(config, org, async (jobs) => await jobs.wake(org)));
  for (const [n, knocked] of (await Promise.allSettled(knocks)).entries()) {
    if (knocked.status === "rejected") {
      log("warn", { message: "an org's jobs did not wake", org: orgs[n], error: String(knocked.reason) });
    }
  }
}
