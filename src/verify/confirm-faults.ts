import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { logsOf } from "../query/logs.ts";
import { serviceReader } from "../schema/caller.ts";
import type { LogGrant, ReadGrant } from "../schema/ledger.ts";
import { lateEntries } from "./late-entries.ts";
import { compareStores, type StoreFault } from "./compare-stores.ts";

/** Entries `[from, to)` of the org's log of this number. */
export type Sample = { number: number; from: number; to: number };

/** Faults of a log; `newest`: whether it is the one that can be repaired. */
export type Sampled = { log: string; newest: boolean; faults: StoreFault[] };

/**
 * Compares the entries that `choose` picks in all three stores. A fault counts when a second look, with a fresh word of the
 * ledger, finds it again: what a projection, a rebuild or a repair was just about is none, nor what a removal under way has not come to yet. Throws
 * when a store is away.
 */
export async function confirmedFaults(
  config: Config,
  org: string,
  choose: (grant: ReadGrant) => Sample,
): Promise<Sampled> {
  const grant = await grantFor(config, org);
  const sample = choose(grant);
  const log = logNamed(grant, sample.number);
  const isNewest = (of: ReadGrant) => of.number === sample.number;
  const newest = isNewest(grant);
  const { from, to } = sample;
  const found = await compareStores(config, org, { log, newest, from, to });
  if (found.length === 0) return { log: log.log, newest, faults: [] };
  const fresh = await grantFor(config, org);
  const again = logNamed(fresh, sample.number);
  // Asked before the second look: what a removal has left to do then, it had to do at the first.
  const late = await lateEntries(config, org, { grant: fresh, number: sample.number });
  // What ended at the head ends at the new one: nothing else vouches for its last entry yet.
  const range = { from, to: to === log.size ? again.size : to };
  const seen = new Set(
    (await compareStores(config, org, { log: again, newest: isNewest(fresh), ...range })).map(nameOf),
  );
  const faults = found.filter((fault) => seen.has(nameOf(fault)) && !isLate(fault, { late, newest }));
  return { log: log.log, newest, faults };
}

/** Whether a row, or of the newest log a segment, has other sections of an entry than the ledger, which a removal is about to make the same. */
function isLate(
  { at, kind, index, place }: StoreFault,
  { late, newest }: { late: Set<number>; newest: boolean },
): boolean {
  const row = at === "d1" && kind === "content_changed";
  const segment = at === "r2" && kind === "damaged" && place === "segment" && newest;
  return (row || segment) && late.has(index);
}

function nameOf({ at, kind, index }: StoreFault): string {
  return `${at} ${kind} ${index}`;
}

/** How an org's logs stand, for the service itself: also while reading is switched off. */
export async function grantFor(config: Config, org: string): Promise<ReadGrant> {
  const granted = await callLedger(
    config,
    org,
    async (ledger) => await ledger.authorize(org, serviceReader(org), "operate"),
  );
  if (!granted.ok) throw new Error(granted.refusal.detail);
  return granted.value;
}

function logNamed(grant: ReadGrant, number: number): LogGrant {
  const log = logsOf(grant).find((one) => one.number === number);
  if (log === undefined) throw new Error(`the org has no log ${number}`);
  return log;
}
