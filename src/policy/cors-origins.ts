import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { CORS_FRESH_MS, CORS_KEPT_MAX_COUNT } from "../limits.ts";

type Known = { origins: Promise<readonly string[]>; at: number };

/** Answers of ledgers of late, oldest first, also those under way: who asks at once shares one call. */
const known = new Map<string, Known>();

/**
 * Origins whose pages may read an org's answers; none for an org that does not exist. Asked of its ledger at most once in
 * CORS_FRESH_MS and isolate, for who asks has shown no key. Never throws.
 */
export function corsOriginsOf(config: Config, org: string, now: number): Promise<readonly string[]> {
  const held = known.get(org);
  if (held !== undefined && now >= held.at && now - held.at < CORS_FRESH_MS) return held.origins;
  const asked = { origins: ask(config, org, () => known.get(org) === asked && known.delete(org)), at: now };
  known.delete(org);
  known.set(org, asked);
  if (known.size > CORS_KEPT_MAX_COUNT) known.delete(known.keys().next().value as string);
  return asked.origins;
}

/** No answer is none of this org's: it is asked again with the next request. */
async function ask(config: Config, org: string, forget: () => void): Promise<readonly string[]> {
  try {
    const found = await callLedger(config, org, async (ledger) => await ledger.corsOrigins(org));
    if (found.ok || found.refusal.code === "not_found") return found.ok ? found.value : [];
  } catch {
    // Fails closed, as below.
  }
  forget();
  return [];
}
