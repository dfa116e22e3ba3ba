import { assert, refuse, type Refusal } from "../errors.ts";
import type { JobContext, Kind } from "../jobs/kind.ts";
import { callLedger } from "../ledger/client.ts";
import {
  ABSENCE_LIST_MAX_BYTES,
  ABSENCE_LIST_MAX_ENTRIES,
  CLOCK_AHEAD_MAX_MS,
  REMOVE_WAIT_MS,
  RETENTION_STEP_DAYS,
  RETENTION_STEP_MS,
} from "../limits.ts";
import { logsOf } from "../query/logs.ts";
import type { Removal } from "../schema/keep.ts";
import { nameOf } from "../schema/caller.ts";
import type { RunRequest, RunTotals } from "../schema/retention.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { utcDay } from "../schema/policy.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { beginRemoval } from "./begin-removal.ts";
import { dueSegments, type RunLog } from "./due-segments.ts";
import { expireFindings } from "./expire-findings.ts";
import { type Expired, findExpired } from "./find-expired.ts";
import { holdingNow } from "./held-by.ts";
import { keepCounters } from "./keep-counters.ts";
import { readEach } from "./read-along.ts";
import { type Holding, REMOVAL_BEGUN, type RemoveProgress, removeStep } from "./remove.ts";
import { addExpired, addRemoved, NOTHING_YET } from "./run-totals.ts";

/**
 * Where a run is. It goes through the org's logs, the newest first: it looks into segments nobody knows the days of, then it
 * takes what is due, some segments at a time, each time with a cause of its own, whose `removal` is carried out before it goes on. Last come the
 * rows that repairs found, behind the one `seen`.
 */
type Progress = {
  log: number;
  at: "look" | "take" | "findings";
  seen: string | null;
  from: number;
  removal: { removal: Removal; progress: RemoveProgress } | null;
  totals: RunTotals;
};

type Stepped = Awaited<ReturnType<Kind<RunRequest, Progress, RunTotals>["step"]>>;

/** One step of a run of retention: what it finds is sealed and removed before the next is found, so that a crash repeats at most one list. */
export async function retentionStep(
  context: JobContext,
  request: RunRequest,
  before: Progress | null,
): Promise<Stepped> {
  const { config, org } = context;
  // Counters are kept of days that are over: a run begun for another would spoil them before the ledger refuses it.
  if (!request.dry_run && request.day > utcDay(Date.now() + CLOCK_AHEAD_MAX_MS)) return EARLY;
  const grant = await grantFor(config, org);
  const begun = { log: grant.number, from: (request.after ?? -1) + 1, removal: null, seen: null, totals: NOTHING_YET };
  const progress = before ?? { ...begun, at: "look" as const };
  if (progress.removal !== null) return remove(context, { ...progress, removal: progress.removal });
  if (progress.at === "findings") return takeFindings(context, request, { grant, progress });
  const log = logsOf(grant).find(({ number }) => number === progress.log);
  assert(log !== undefined, "a log of an org stays one");
  const of = { log, newest: log.number === grant.number };
  const found = await find(context, { request, progress, of });
  if (found.expired.length > 0 && !request.dry_run) return take(context, { request, progress, of, found });
  const totals = found.totals;
  if (found.next !== null) return { progress: { ...progress, from: found.next, totals }, result: null };
  const next = after(progress, request);
  if (next !== null) return { progress: { ...progress, ...next, totals }, result: null };
  const through = { ...progress, at: "findings" as const, totals };
  return { progress: through, result: request.dry_run ? totals : null };
}

async function takeFindings(
  { config, org }: JobContext,
  { day }: RunRequest,
  { grant, progress }: { grant: ReadGrant; progress: Progress },
): Promise<Stepped> {
  const { gone, after: seen, again } = await expireFindings(config, grant, { org, day, after: progress.seen });
  const totals = { ...progress.totals, findings: progress.totals.findings + gone };
  const over = seen === null && !again;
  return { progress: { ...progress, seen, totals }, result: over ? totals : null };
}

const EARLY = refuse("unprocessable", "Nothing goes before the day it is kept until is over.");

/** What comes when a log is gone through; null when that was all. A dry run from an index on is of the newest log alone. */
function after({ at, log }: Progress, { after: index }: RunRequest): Pick<Progress, "log" | "at" | "from"> | null {
  if (at === "look") return { log, at: "take", from: (index ?? -1) + 1 };
  return log > 1 && index === null ? { log: log - 1, at: "look", from: 0 } : null;
}

/** `next`: the index to go on from; null when there are no more segments. `holding`: by what it was found. */
type Found = { expired: Expired[]; next: number | null; totals: RunTotals; holding: Holding };
type Work = { request: RunRequest; progress: Progress; of: RunLog };

async function find({ config, org }: JobContext, { request, progress, of }: Work): Promise<Found> {
  const deadline = Date.now() + RETENTION_STEP_MS;
  const { day } = request;
  const looks = progress.at === "look";
  const holding = await holdingNow(config, org);
  const found: Found = { expired: [], next: null, totals: progress.totals, holding };
  const days: { name: string; keep_until: string }[] = [];
  const room = new Room();
  const segments = await dueSegments(config, org, { ...of, from: progress.from, day, unknown: looks });
  for await (const { segment, lines } of readEach(config, org, { of, segments })) {
    const { first, last, name } = segment;
    if (lines === null) {
      found.totals = { ...found.totals, unreadable: found.totals.unreadable + last - first + 1 };
      found.next = last + 1;
      continue;
    }
    const { expired, keep_until } = findExpired(lines, { first, day });
    days.push({ name, keep_until });
    const wanted = looks ? [] : expired.filter(({ index }) => index > (request.after ?? -1));
    const free = wanted.filter(({ index, line }) => !holding.covers({ log: of.log.number, index, line }));
    if (!room.takes(free)) {
      found.next = first;
      break;
    }
    // Without its line, which keeps the text of its whole segment in memory: what is found may be of fifty of them.
    for (const { line: _, ...one } of free) found.expired.push(one);
    found.totals = { ...found.totals, held: found.totals.held + wanted.length - free.length };
    // What goes is counted when it went.
    if (request.dry_run) found.totals = addExpired(found.totals, { log: of.log.number, expired: free });
    found.next = last + 1;
    if (Date.now() > deadline) break;
  }
  if (of.newest && days.length > 0) {
    const saved = await callLedger(config, org, async (ledger) => await ledger.rememberDays(org, days));
    if (!saved.ok) throw new Error(saved.refusal.detail);
  }
  return found;
}

/** How much one list takes: its first segment always, for a segment is smaller than a list. */
class Room {
  #entries = 0;
  #bytes = 0;
  readonly #days = new Set<string>();

  takes(expired: readonly Expired[]): boolean {
    const first = this.#entries === 0;
    for (const { index, sections, sequenced_at } of expired) {
      this.#entries++;
      this.#bytes += sections.reduce((sum, name) => sum + String(index).length + name.length + 2, 0);
      this.#days.add(dayOf(sequenced_at));
    }
    const fits = this.#entries <= ABSENCE_LIST_MAX_ENTRIES && this.#bytes <= ABSENCE_LIST_MAX_BYTES;
    return first || (fits && this.#days.size <= RETENTION_STEP_DAYS);
  }
}

function dayOf(sequenced_at: string): string {
  return sequenced_at.slice(0, "2026-11-22".length);
}

/** Seals that what was found goes, after what could not be made from the rest is kept. Nothing has gone yet when it returns. */
async function take(
  { config, org, id, by }: JobContext,
  { request, progress, of, found }: Work & { found: Found },
): Promise<Stepped> {
  const { log, newest } = of;
  if (newest) {
    const counted = await callLedger(config, org, (ledger) => ledger.waitVisible(org, log.size, REMOVE_WAIT_MS));
    if (!counted.ok) return counted;
  }
  await keepCounters(config, of, new Map(found.expired.map(({ sequenced_at, index }) => [dayOf(sequenced_at), index])));
  const list = new Map(found.expired.map(({ index, sections }) => [index, sections]));
  const once = `indelible.retention.run  ${id}`;
  const key = nameOf(by);
  const actor = key === "service" ? { type: "service", id: "retention" } : { type: "key", id: key };
  const act = { action: "indelible.retention.run", actor, key, metadata: { before: request.day } } as const;
  const asked = { cause: "expired", log: log.number, before: request.day, list, act, once } as const;
  const begun = await beginRemoval(config, org, { ...asked, holds_version: found.holding.version });
  // A crash here leaves a cause whose sections are all there: they are found again, and go by the same cause while the same
  // holds stand.
  if (!begun.ok) return isAnew(begun.refusal) ? { progress, result: null } : begun;
  const { by: index, by_log } = begun.value;
  const totals = { ...found.totals, causes: [...found.totals.causes, { log: by_log, index }] };
  const removal = { removal: begun.value, progress: REMOVAL_BEGUN };
  return { progress: { ...progress, from: found.next ?? progress.from, removal, totals }, result: null };
}

/** A hold was placed or released, or the log continued: what may go is found anew. */
function isAnew({ code }: Refusal): boolean {
  return code === "conflict";
}

async function remove(
  { config, org }: JobContext,
  progress: Progress & { removal: NonNullable<Progress["removal"]> },
): Promise<Stepped> {
  const { removal, progress: before } = progress.removal;
  const holds = () => holdingNow(config, org);
  const step = await removeStep(config, org, { removal, progress: before, holds });
  const { totals } = progress;
  if (step.progress.at !== "done") {
    const { progress: moved, ...wait } = step;
    return { progress: { ...progress, removal: { removal, progress: moved } }, result: null, ...wait };
  }
  return { progress: { ...progress, removal: null, totals: addRemoved(totals, step.progress) }, result: null };
}
