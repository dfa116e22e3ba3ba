import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { configOf } from "../../src/env.ts";
import { openSealed } from "../../src/chain/open-sealed.ts";
import { PLATFORM_ORG, canariesOf } from "../../src/schema/names.ts";
import { runCanaries } from "../../src/watch/canaries.ts";
import { canaryIdOf } from "../../src/watch/canary-event.ts";
import { listSegments, type Segment } from "../../src/archive/segment.ts";
import { CANARY_ASK_MINUTES, CANARY_PROVED_MINUTES } from "../../src/limits.ts";
import type { LedgerStatus } from "../../src/schema/ledger.ts";
import { monthOf, slotOf } from "../../src/store/slot.ts";
import { statusOf, untilProjected } from "../support/check-ledger.ts";
import type { Cell } from "../support/tamper.ts";
import { call } from "../support/client.ts";
import { linesOf } from "../support/owner.ts";
import { actsOf } from "../support/repair.ts";

export const config = configOf(env);
export const [A, B] = canariesOf("CELL_0");
export const CANARIES = ["CELL_0", "CELL_1"].flatMap(canariesOf);
const MINUTE_MS = 60_000;

let next = Math.ceil(Date.now() / MINUTE_MS / CANARY_ASK_MINUTES) * CANARY_ASK_MINUTES;
/** The next minute of this run: rounds follow one another. */
export function nextMinute(): number {
  return next++;
}

/** The next minute of this run in which it is the turn of the path that is asked at `slot`. */
export function minuteAt(slot: number): number {
  while (next % CANARY_ASK_MINUTES !== slot) next++;
  return nextMinute();
}

/** Org `platform` is made after the first answer to somebody with a key. */
export async function untilPlatform(): Promise<void> {
  await call("GET", "/metrics");
  await expect.poll(async () => (await env.ORG_LEDGER.getByName(PLATFORM_ORG).status(PLATFORM_ORG)).ok).toBe(true);
}

/** A round as the cron runs it at that minute, and all that follows it by itself: queue, projection, segments, checkpoints. */
export async function round(minute: number): Promise<void> {
  await runCanaries(config, minute * MINUTE_MS);
  await Promise.all(CANARIES.map((org) => settled(org, canaryIdOf(minute))));
}

/** Until a canary's event is in its log, in D1 and under a checkpoint. */
async function settled(org: string, id: string): Promise<void> {
  await expect.poll(() => heldBy(org, id), { timeout: 20_000 }).toBe(1);
  await untilProjected(org);
  const { size, earlier } = await statusOf(org);
  const log = earlier.length === 0 ? org : `${org}/${earlier.length + 1}`;
  const signed = () => call("GET", `/v1/orgs/${log}/checkpoint?min_size=${size}`);
  await expect
    .poll(async () => Number((await signed()).text.split("\n")[1]), { timeout: 30_000 })
    .toBeGreaterThanOrEqual(size);
}

/** As many rounds as it takes until every path has what it looks for; answers the minute of the last. */
export async function rounds(count = CANARY_PROVED_MINUTES + 1): Promise<number> {
  for (let n = 1; n < count; n++) await round(nextMinute());
  const last = nextMinute();
  await round(last);
  return last;
}

/** How often an org's log holds an event of this id. */
export async function heldBy(org: string, id: string): Promise<number> {
  return (await linesOf(org)).filter((line) => openSealed(line).id === id).length;
}

/** When a cell's canaries were last well, as a minute; null for never. */
export async function goodAt(cell = "CELL_0"): Promise<number | null> {
  const row = await env.DIRECTORY.prepare("select good_at from canary where cell = ?1").bind(cell).first("good_at");
  return row === null ? null : Number(row) / MINUTE_MS;
}

/** What org `platform` was told is wrong with a log, newest first: the findings' metadata. */
export async function findingsOf(log: string, org = PLATFORM_ORG): Promise<any[]> {
  const acts = await actsOf(org, "indelible.finding");
  return acts.map(({ metadata }) => metadata).filter((metadata) => metadata.log === log);
}

/** Where the rows of this month lie of an org that has never left its first cell. */
export async function placeOf(org: string): Promise<Cell> {
  const { placements } = await statusOf(org);
  const { cell, org_number } = placements[0] as LedgerStatus["placements"][number];
  const db = (env as unknown as Record<string, D1Database>)[cell] as D1Database;
  return { db, table: `entry_${slotOf(monthOf(new Date().toISOString()))}`, base: org_number * 2 ** 32 };
}

/** By how much a path was late, whichever way it was asked. */
export function lateBy(grown: Record<string, number>, path: string): number {
  const ways = [path, `binding.${path}`].map((way) => grown[`audit_canary_late_total{path="${way}"}`] ?? 0);
  return ways.reduce((sum, late) => sum + late);
}

/** The segment that holds an entry, and its bytes. */
export async function segmentOf(org: string, index: number): Promise<{ key: string; bytes: ArrayBuffer }> {
  const { log } = await statusOf(org);
  const segments = await listSegments(env.ARCHIVE, { log, from: 0, limit: 1_000 });
  const { name } = segments.find(({ first, last }) => first <= index && index <= last) as Segment;
  return { key: name, bytes: (await (await env.ARCHIVE.get(name))?.arrayBuffer()) as ArrayBuffer };
}
