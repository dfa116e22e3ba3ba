import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { retentionStep } from "../../src/keep/retention-step.ts";
import type { RunRequest, RunTotals } from "../../src/schema/retention.ts";
import { utcDay } from "../../src/schema/policy.ts";
import { append, batchOf, ROOT } from "../support/append.ts";
import { archiveDue, untilProjected } from "../support/check-ledger.ts";
import { must } from "../support/check/check-entry.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { call, createOrg, freshOrg } from "../support/client.ts";
import { config } from "./support.ts";

const DAY_MS = 86_400_000;

/** Stops the clock where it is; it goes on with `daysPass` alone. */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
}

export function daysPass(days: number): void {
  vi.setSystemTime(Date.now() + days * DAY_MS);
}

/** The UTC day so many days from now. */
export const dayIn = (days = 0) => utcDay(Date.now() + days * DAY_MS);

/** An org whose entries from 2 on are these, in R2 and D1: logins are kept 3 days, general ones 5, telemetry for ever. */
export async function keptOrg(events: readonly Record<string, unknown>[], days: object = {}): Promise<string> {
  const org = await createOrg("kept");
  const policy = { days: { login: 3, general: 5, telemetry: "forever", ...days } };
  must((await call("PUT", `/v1/orgs/${org}/retention`, { body: policy })).status === 200, "the policy is taken");
  await append(org, batchOf(events));
  await untilProjected(org);
  await archiveDue(org);
  return org;
}

/** An event kept as long as those of this category. */
export function kept(category: string, n: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  const actor = { type: "user", id: `u_${n}`, name: `Name ${n}` };
  return { id: `${category}-${n}`, action: `${category}.done`, category, actor, metadata: { n }, ...more };
}

type Progress = Parameters<typeof retentionStep>[2];
type Running = {
  /** Steps that may fail before one does not. */
  failures?: number;
  /** Each step is taken once more, as when nobody saved how far it was. */
  twice?: boolean;
  between?: (progress: NonNullable<Progress>) => Promise<unknown>;
};

/** Takes the steps of a run as its job does: what is between them has been stored in between, what throws is taken again. */
export async function ran(
  org: string,
  request: Partial<RunRequest> = {},
  { failures = 0, twice = false, between = async () => {} }: Running = {},
): Promise<RunTotals> {
  const asked: RunRequest = { day: dayIn(), dry_run: false, after: null, ...request };
  let progress: Progress = null;
  const id = freshOrg("run");
  for (let steps = 0, failed = 0; steps < 200; steps++) {
    try {
      const context = { config, org, id, by: ROOT };
      if (twice) await retentionStep(context, asked, progress);
      const stepped = await retentionStep(context, asked, progress);
      if ("ok" in stepped) throw new Error(stepped.refusal.detail);
      if (stepped.result !== null) return stepped.result;
      progress = JSON.parse(JSON.stringify(stepped.progress)) as NonNullable<Progress>;
      await between(progress);
    } catch (error) {
      if (failed++ >= failures) throw error;
    }
  }
  throw new Error("a run ends");
}

/** Counters and actions seen of an org in all its cells, of days before one. */
export async function countersOf(org: string, day = dayIn()): Promise<unknown> {
  const counters: Record<string, number> = {};
  const seen: Record<string, string[]> = {};
  for (const { cell, org_number } of (await readLedger(org)).placements) {
    const database = (env as unknown as Record<string, D1Database>)[cell] as D1Database;
    const read = async (sql: string) => (await database.prepare(sql).bind(org_number, day).raw<any[]>()) as any[][];
    const columns = "day, category, action, target_types, result, count";
    for (const row of await read(`select ${columns} from counter where org_number = ?1 and day < ?2`)) {
      const name = JSON.stringify(row.slice(0, -1));
      counters[name] = (counters[name] ?? 0) + row.at(-1);
    }
    const days = "action, version, first_day, last_day";
    for (const [action, version, first, last] of await read(
      `select ${days} from action_seen where org_number = ?1 and last_day < ?2`,
    )) {
      const name = JSON.stringify([action, version]);
      const [from = first, to = last] = seen[name] ?? [];
      seen[name] = [first < from ? first : from, last > to ? last : to];
    }
  }
  const sorted = (of: object) => Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
  return { counters: sorted(counters), seen: sorted(seen) };
}
