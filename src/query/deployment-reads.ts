import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { askDeploymentReads } from "../ledger/client.ts";
import { READS_SWITCH_FRESH_MS, READS_SWITCH_STALE_MS } from "../limits.ts";
import { log } from "../log.ts";
import { type ReadsClosed, refuseClosed } from "../schema/reads.ts";

type Known = { closed: ReadsClosed | null; askedAt: number };

/** What this isolate knows of the deployment's switch. */
const known = new WeakMap<Config, Known>();

/**
 * Refused while the deployment's switch is closed. It is asked of the ledger that keeps it, and remembered for so short a while that it
 * holds everywhere within 5 s. While nobody answers, what is known serves a little longer; after that nothing is read, for
 * what is not known may be closed. A switch known to be closed stays so until somebody says otherwise.
 */
export async function deploymentOpen(config: Config): Promise<Result<null>> {
  const askedAt = Date.now();
  const before = known.get(config) ?? null;
  if (before !== null && isWithin(before, READS_SWITCH_FRESH_MS)) return verdictOf(before.closed);
  try {
    const closed = await askDeploymentReads(config);
    known.set(config, { closed, askedAt });
    return verdictOf(closed);
  } catch (error) {
    log("warn", { message: "whether reading is switched off is not known right now", error: String(error) });
    if (before !== null && (before.closed !== null || isWithin(before, READS_SWITCH_STALE_MS))) {
      return verdictOf(before.closed);
    }
    return UNKNOWN;
  }
}

/** Makes this isolate ask anew; called by who turns the switch. */
export function forgetDeploymentReads(config: Config): void {
  known.delete(config);
}

/** A clock that was set back makes what is known old. */
function isWithin({ askedAt }: Known, ms: number): boolean {
  const age = Date.now() - askedAt;
  return age >= 0 && age < ms;
}

function verdictOf(reads: ReadsClosed | null): Result<null> {
  return reads === null ? ok(null) : refuseClosed(reads);
}

const UNKNOWN = refuse("overloaded", "Whether reading is switched off is not known right now, so nothing is read.", {
  retry_after_s: 2,
});
