import type { Config } from "../env.ts";
import { startNightlyRun } from "../keep/nightly-run.ts";
import { log } from "../log.ts";

/** Begins the daily run of retention of orgs whose turn it is. Never throws: what failed has its turn again tomorrow. */
export async function startNightlyRuns(config: Config, orgs: readonly string[], now: number): Promise<void> {
  for (const org of orgs) {
    try {
      await startNightlyRun(config, org, now);
    } catch (error) {
      log("warn", { message: "a run of retention did not begin", org, error: String(error) });
    }
  }
}
