import type { Config } from "../env.ts";
import { callJobs } from "../jobs/client.ts";
import { COOL_LOGS_PER_RUN, COOL_ORGS_AT_ONCE } from "../limits.ts";
import { log as say } from "../log.ts";
import { count } from "../meter.ts";
import { dropSlot, filledSlots, findUncovered, type Uncovered } from "../store/cold-slots.ts";
import { findOrgsOfLogs } from "../store/placement-table.ts";
import { serviceReader } from "../schema/caller.ts";
import { beginOf, monthOf, SLOTS, slotOf } from "../store/slot.ts";
import type { CoolRequest } from "./cool-step.ts";

const DAY_MS = 86_400_000;

/**
 * Looks in every cell for months that may leave it: those that ended `hotDays` ago or earlier. A slot in which nothing else lies
 * is dropped; before that each log with rows in it is made cold, by a job of its org, begun once a day at most. Answers the
 * orgs whose job is wanted. Never throws.
 */
export async function sweepCells(config: Config, now: number): Promise<{ orgs: string[]; id: string }> {
  const request = coolRequest(now, config.hotDays);
  const id = `cooling ${new Date(request.until).toISOString().slice(0, 7)} ${Math.floor(now / DAY_MS)}`;
  const orgs = new Set<string>();
  for (const [name, cell] of config.cells) {
    try {
      for (const slot of await filledSlots(cell, request.slots)) {
        const uncovered = await someUncovered(cell, slot);
        if (uncovered.length > 0) for (const org of await orgsOf(config, uncovered)) orgs.add(org);
        else if (await dropSlot(cell, slot)) say("info", { message: "a month left its cell", cell: name, slot });
      }
    } catch (error) {
      count("audit_cooling_failures_total");
      say("warn", { message: "a cell was not swept; the next run tries again", cell: name, error: String(error) });
    }
  }
  const all = [...orgs];
  for (let n = 0; n < all.length; n += COOL_ORGS_AT_ONCE) {
    await Promise.all(all.slice(n, n + COOL_ORGS_AT_ONCE).map((org) => begin(config, org, { id, request })));
  }
  return { orgs: all, id };
}

/** Called again with the same `id` it is the same job; what could not be begun is begun by the next sweep. */
async function begin(
  config: Config,
  org: string,
  { id, request }: { id: string; request: CoolRequest },
): Promise<void> {
  const job = { id, kind: "cooling", request, by: serviceReader(org) } as const;
  try {
    const begun = await callJobs(config, org, async (jobs) => await jobs.create(org, job));
    if (begun.ok) return;
    say("warn", { message: "a log is not made cold yet", org, error: begun.refusal.detail });
  } catch (error) {
    say("warn", { message: "a log is not made cold yet", org, error: String(error) });
  }
}

/** What is cold at an instant: the first month that is not, and the slots in which no other month lies. */
export function coolRequest(now: number, hotDays: number): CoolRequest {
  const first = monthOf(now - hotDays * DAY_MS);
  // A ledger's clock may be ahead of ours by a month's end.
  const hot = new Set(Array.from({ length: monthOf(now) + 2 - first }, (_, n) => slotOf(first + n)));
  return { until: beginOf(first), slots: SLOTS.filter((slot) => !hot.has(slot)) };
}

/** Logs that keep a slot, from one drawn at random on: none that cannot be made cold is in the way of the others. */
async function someUncovered(cell: D1Database, slot: string): Promise<Uncovered[]> {
  const limit = COOL_LOGS_PER_RUN;
  const all = await findUncovered(cell, slot, { after: -1, limit });
  const last = all.at(-1);
  if (last === undefined || all.length < limit) return all;
  const after = last.org_number + Math.floor(Math.random() * last.org_number);
  const others = await findUncovered(cell, slot, { after, limit });
  return others.length === 0 ? all : others;
}

/** Whose these logs are. A row that is nobody's keeps its slot: nobody can say that it is anywhere else. */
async function orgsOf(config: Config, uncovered: readonly Uncovered[]): Promise<string[]> {
  const logs = uncovered.flatMap(({ log }) => (log === null ? [] : [log]));
  const orgs = await findOrgsOfLogs(config.directory, logs);
  const strangers = uncovered.filter(({ log }) => log === null || !orgs.has(log));
  if (strangers.length > 0) count("audit_cooling_strangers_total", {}, strangers.length);
  return [...orgs.values()];
}
