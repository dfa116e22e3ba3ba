import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { APPEND_MAX_EVENTS } from "../../../src/limits.ts";
import { monthOf, slotOf } from "../../../src/store/slot.ts";
import { runWatchdog } from "../../ingest/deliver.ts";
import { archived } from "../../keep/erasure-support.ts";
import { list } from "../../query/support.ts";
import { call } from "../../support/client.ts";
import { CELLS } from "../../support/faults.ts";
import { stepJobs } from "../../support/jobs.ts";
import { type Lived, lifeOf } from "./life.ts";

/** A key may ask so often that nobody asks sooner. */
const PASS_MS = 100;
const BATCHES_ARCHIVED = 4;
const JOB_MAX_STEPS = 2_000;

/** The clock at an hour of a day of 2031; it stands still until it is set anew. */
export function setHour(month: number, day: number, hour = 12): void {
  if (!vi.isFakeTimers()) vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.UTC(2031, month - 1, day, hour));
}

export function pass(): void {
  vi.setSystemTime(Date.now() + PASS_MS);
}

/** What the API answers to what has to succeed. */
export async function asked(method: string, path: string, body?: unknown): Promise<any> {
  pass();
  const answer = await call(method, path, body === undefined ? {} : { body });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json;
}

/** Lives half a year, on the days it happens; `after` is called at the end of each month. Answers what happened. */
export async function live(org: string, count: number, after: (month: number) => Promise<unknown>): Promise<Lived[]> {
  const all: Lived[] = [];
  let now = 0;
  let batches = 0;
  for (const { month, day, lived } of lifeOf(count)) {
    if (month !== now && now !== 0) await after(now);
    now = month;
    setHour(month, day);
    for (let from = 0; from < lived.length; from += APPEND_MAX_EVENTS) {
      const sent = lived.slice(from, from + APPEND_MAX_EVENTS);
      const { data } = await asked("POST", `/v1/orgs/${org}/events`, { events: sent.map(({ event }) => event) });
      for (const [n, one] of sent.entries()) {
        one.index = data[n].index;
        one.said.sequenced_at = data[n].sequenced_at;
      }
    }
    all.push(...lived);
    if (++batches % BATCHES_ARCHIVED === 0) await archived(org);
  }
  await archived(org);
  await after(now);
  return all;
}

/** The cron of this minute, and all that the jobs do that it begins, of the service's own orgs as well. */
export async function night(): Promise<void> {
  await runWatchdog();
  const busy = await env.DIRECTORY.prepare("select distinct org from unfinished_job").all<{ org: string }>();
  for (const { org } of busy.results) await finishJobs(org);
}

/** Takes steps until every job of an org is over. */
export async function finishJobs(org: string): Promise<void> {
  const jobs = env.ORG_JOBS.getByName(org);
  for (let steps = 0; steps < JOB_MAX_STEPS; steps++) {
    const open = await runInDurableObject(jobs, (_, { storage }) =>
      Number(
        storage.sql.exec("select count(*) as open from job where due_at is not null and state <> 'done'").one()["open"],
      ),
    );
    if (open === 0) return;
    await stepJobs(org);
  }
  throw new Error("the jobs do not end");
}

/** Rows and rows of search indexes in all cells, of months of 2031. */
export async function rowsIn(months: readonly number[]): Promise<number> {
  let rows = 0;
  for (const month of months) {
    const slot = slotOf(monthOf(Date.UTC(2031, month - 1)));
    for (const cell of CELLS) {
      for (const table of [`entry_${slot}`, `term_${slot}_docsize`]) {
        rows += (await cell.prepare(`select count(*) as n from ${table}`).first<number>("n")) ?? 0;
      }
    }
  }
  return rows;
}

/** Follows cursors to the end: the index of every entry answered, and the tier of every page. `look` is shown each entry. */
export async function walked(org: string, params: Parameters<typeof list>[1], look = (_entry: any): void => {}) {
  const indexes: number[] = [];
  const tiers: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    pass();
    const page = await list(org, { limit: 1_000, ...params, ...(cursor === "" ? {} : { cursor }) });
    expect(page.status, page.text).toBe(200);
    for (const entry of page.json.data) {
      indexes.push(entry.index);
      look(entry);
    }
    tiers.push(page.json.tier);
    cursor = page.json.next_cursor;
  }
  return { indexes, tiers };
}
