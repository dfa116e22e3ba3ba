import type { Config } from "../env.ts";
import { VERIFY_MAX_ENTRIES, VERIFY_MAX_SEGMENTS } from "../limits.ts";
import { reachOf } from "../query/name-segments.ts";
import type { LogGrant } from "../schema/ledger.ts";

/** Down to where one run goes: bounded by entries, and where they are cold by segments, for one may hold a single entry. */
export async function lowestOf(
  config: Config,
  org: string,
  { log, newest, from, to }: { log: LogGrant; newest: boolean; from: number; to: number },
): Promise<number> {
  const low = Math.min(Math.max(from, to - VERIFY_MAX_ENTRIES), to);
  const high = Math.min(to, log.cold_before);
  return low >= high ? low : reachOf(config, org, { log, newest, low, high, count: VERIFY_MAX_SEGMENTS });
}
