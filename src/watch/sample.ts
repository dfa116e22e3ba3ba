import type { Config } from "../env.ts";
import { SAMPLE_ENTRIES, SAMPLE_MAX_MS, SAMPLE_ORGS_AT_ONCE } from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import { logsOf } from "../query/logs.ts";
import { takeRandom } from "../random.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { confirmedFaults, type Sample } from "../verify/confirm-faults.ts";
import { within } from "../within.ts";
import { reportFindings } from "./report-findings.ts";

/** A number from 0 on, below `below`, that nobody can know beforehand. */
type Draw = (below: number) => number;

const DAY_MS = 86_400_000;

/** Compares a stretch of each of these orgs' logs in D1, R2 and the ledger. Never throws. */
export async function sampleOrgs(config: Config, orgs: readonly string[], now: number): Promise<void> {
  for (let n = 0; n < orgs.length; n += SAMPLE_ORGS_AT_ONCE) {
    await Promise.all(orgs.slice(n, n + SAMPLE_ORGS_AT_ONCE).map((org) => sampleOrg(config, org, { now })));
  }
}

/** Samples one org and reports what is wrong. Never throws. */
export async function sampleOrg(
  config: Config,
  org: string,
  { now, draw = drawRandom }: { now: number; draw?: Draw },
): Promise<void> {
  try {
    const choose = (grant: ReadGrant) => chooseSample(grant, { day: Math.floor(now / DAY_MS), draw });
    const found = await within(SAMPLE_MAX_MS, confirmedFaults(config, org, choose));
    count("audit_samples_total", { outcome: found.faults.length === 0 ? "whole" : "faulty" });
    await reportFindings(config, org, { by: "sample", now, ...found });
  } catch (error) {
    // A store that is away is no finding; the org's turn comes again tomorrow.
    count("audit_samples_total", { outcome: "failed" });
    log("warn", { message: "an org was not sampled", org, error: String(error) });
  }
}

/**
 * One of the org's logs, another each day, and a stretch of it: anywhere under its checkpoint, or the newest entries of a
 * log that is short or young. Where, nobody knows beforehand: who plants a row must not know what is looked at.
 */
function chooseSample(grant: ReadGrant, { day, draw }: { day: number; draw: Draw }): Sample {
  const logs = logsOf(grant);
  const { number, size, checkpoint } = logs[day % logs.length] ?? grant;
  const covered = checkpoint?.size ?? 0;
  const to = covered > SAMPLE_ENTRIES ? SAMPLE_ENTRIES + draw(covered - SAMPLE_ENTRIES + 1) : size;
  return { number, from: Math.max(0, to - SAMPLE_ENTRIES), to };
}

/** 48 random bits: the lower numbers are likelier by one part in 65,536 at most. */
function drawRandom(below: number): number {
  return Buffer.from(takeRandom(6)).readUIntBE(0, 6) % below;
}
