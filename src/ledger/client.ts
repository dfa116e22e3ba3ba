import type { Config } from "../env.ts";
import { refuse, type Result } from "../errors.ts";
import { ORG_CREATION_MAX_MS, READS_SWITCH_ASK_MS } from "../limits.ts";
import { PLATFORM_ORG } from "../schema/names.ts";
import type { ReadsClosed } from "../schema/reads.ts";
import { readOrg } from "../store/org.ts";
import { within } from "../within.ts";
import type { OrgLedger } from "./org-ledger.ts";

const ATTEMPTS = 3;
const RETRY_MS = 50;

/** The one place where an org becomes a Durable Object. */
export function ledgerOf(config: Pick<Config, "ledgers">, org: string): DurableObjectStub<OrgLedger> {
  return config.ledgers.getByName(org);
}

/**
 * Whether the deployment's switch is closed, from the ledger of org `platform`, which keeps it; throws when that does not
 * say. Until the first request with a key has made that org nobody has closed anything; one that was there before and is not
 * any more has lost its storage, and may have been closed.
 */
export async function askDeploymentReads(config: Pick<Config, "ledgers" | "directory">): Promise<ReadsClosed | null> {
  const asked = callLedger(config, PLATFORM_ORG, async (ledger) => await ledger.deploymentReads(PLATFORM_ORG));
  const answer = await within(READS_SWITCH_ASK_MS, asked);
  if (answer.ok) return answer.value;
  if (answer.refusal.code !== "not_found") throw new Error(answer.refusal.detail);
  const entered = await readOrg(config.directory, PLATFORM_ORG);
  if (entered === null || Date.now() - entered.created_at < ORG_CREATION_MAX_MS) return null;
  throw new Error("the ledger of org platform has lost its storage");
}

/**
 * Calls an org's ledger. `call` must be safe to repeat: a ledger that was reset (a deploy, a lost connection) is asked
 * again on a new stub, because its outcome is unknown. One that is overloaded is not; the caller gets `overloaded`.
 */
export async function callLedger<T>(
  config: Pick<Config, "ledgers">,
  org: string,
  call: (ledger: DurableObjectStub<OrgLedger>) => Promise<Result<T>>,
): Promise<Result<T>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(ledgerOf(config, org));
    } catch (error) {
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
      if (overloaded === true) return refuse("overloaded", "The org's ledger is overloaded.", { retry_after_s: 2 });
      if (retryable !== true) throw error;
      if (attempt === ATTEMPTS) {
        return refuse("overloaded", "The org's ledger does not answer right now.", { retry_after_s: 2 });
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt));
    }
  }
}
