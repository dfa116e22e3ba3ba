import type { AbsenceList } from "../chain/absence-list.ts";
import { listSegmentsOf } from "./removed-segments.ts";
import type { Config } from "../env.ts";
import { newRequestId } from "../ids.ts";
import { callLedger } from "../ledger/client.ts";
import { REMOVE_STEP_MS, REMOVE_STEP_SEGMENTS, TERMS_MERGE_PAGES } from "../limits.ts";
import { logOf } from "../query/logs.ts";
import type { Removal } from "../schema/keep.ts";
import type { LeaseAct, LogGrant } from "../schema/ledger.ts";
import { mergeTerms } from "../store/redact-rows.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { dropUnfinished } from "./drop-unfinished.ts";
import { addGone, type GoneCounts, goneBy } from "./gone-counts.ts";
import { removalList } from "./removal-list.ts";
import { removeFromRows, type TouchedSlot } from "./remove-rows.ts";
import { removeFromSegment } from "./remove-segment.ts";
import { settleRemoval } from "./settle-removal.ts";

/** The holds that stand, by their version, and whether one of them keeps an entry as it is now. */
export type Holding = { version: number; covers: (entry: { log: number; index: number; line: string }) => boolean };

/**
 * How far a removal is. Its list is gone through from the lowest index on, again and again until nothing had to be changed any more; then the
 * search indexes it touched are merged, and it is `done`. As its last round found them: `gone`, what went by its cause; `quoting`, those of the service's
 * own that lost their note alone; `held`, entries that a hold keeps; `unreadable`, entries that are not in R2 as they were stored.
 */
export type RemoveProgress = {
  at: "entries" | "index" | "done";
  from: number;
  changed: boolean;
  gone: GoneCounts;
  quoting: number;
  held: number;
  unreadable: number;
  slots: TouchedSlot[];
  merging: boolean;
};

/** Where a round begins. */
const ROUND = { from: 0, changed: false, gone: [], quoting: 0, held: 0, unreadable: 0 };

export const REMOVAL_BEGUN: RemoveProgress = {
  at: "entries",
  ...ROUND,
  slots: [],
  merging: false,
};

/** A removal that is to go no further: its list is gone through once more, until every store lacks what has begun to go. */
export function keepRest(progress: RemoveProgress): RemoveProgress {
  return progress.at === "entries" ? { ...progress, ...ROUND } : progress;
}

/** What has not gone stays. */
export const EVERYTHING: Holding = { version: 0, covers: () => true };

/** `wait_ms`: how long to wait before the next step; `waiting`: for what. */
export type RemoveStep = { progress: RemoveProgress; wait_ms: number; waiting?: string };

/** What the parts of one step share. `holder`: of the lease it is taken under. */
export type RemoveWork = {
  config: Config;
  org: string;
  holder: string;
  removal: Removal;
  log: LogGrant;
  newest: boolean;
  list: AbsenceList;
  holding: Holding;
};

const RETRY_MS = 2_000;
const TURN = "A verification or a repair of this org is under way; it goes on after that, in half a minute at most.";

/**
 * Takes one bounded step of a removal whose cause is sealed: what its list names goes from segments, staged rows, receipts, D1 and the search
 * index, unless a hold keeps it at that moment. A step repeated changes nothing twice; it throws when a store does not answer, and is taken again.
 */
export async function removeStep(
  config: Config,
  org: string,
  { removal, progress, holds }: { removal: Removal; progress: RemoveProgress; holds: () => Promise<Holding> },
): Promise<RemoveStep> {
  if (progress.at === "done") return { progress, wait_ms: 0 };
  if (progress.at === "index") return mergeStep(config, progress);
  const holder = newRequestId();
  const lease = (act: LeaseAct) =>
    callLedger(config, org, async (ledger) => await ledger.leaseVerify(org, holder, act));
  // A repair that has read a line before it is released may put it back: repairs wait, or are waited for.
  const leased = await lease("claim");
  if (!leased.ok) return { progress, wait_ms: RETRY_MS, waiting: TURN };
  try {
    const grant = await grantFor(config, org);
    const log = logOf(grant, removal.log);
    if (!log.ok) throw new Error(`the org has no log ${removal.log}`);
    const list = await removalList(config, grant, removal);
    const newest = grant.number === removal.log;
    const holding = await holds();
    return await entriesStep({ config, org, holder, removal, log: log.value, newest, list, holding }, progress);
  } finally {
    await lease("release");
  }
}

async function entriesStep(work: RemoveWork, before: RemoveProgress): Promise<RemoveStep> {
  const deadline = Date.now() + REMOVE_STEP_MS;
  const progress = { ...before, slots: [...before.slots] };
  const indexes = [...work.list.keys()].filter((index) => index >= before.from);
  let [next] = indexes;
  for (let count = 0; next !== undefined && count < REMOVE_STEP_SEGMENTS && Date.now() < deadline; count++) {
    const segments = await listSegmentsOf(work, next);
    const named = work.newest ? segments.named : await dropUnfinished(work, segments.named);
    const read: Map<number, string>[] = [];
    for (const segment of named) {
      const rewritten = await removeFromSegment(work, segment);
      if (rewritten === "held_changed") return { progress, wait_ms: 0 };
      if (rewritten === null) continue;
      read.push(rewritten.lines);
      progress.changed ||= rewritten.changed;
    }
    // Copies that went by causes of their own differ for good: rows are made what the one says that was written last.
    const lines = new Map(read.flatMap((copy) => [...copy]));
    const rows = await removeFromRows(work, { lines, known: before.slots });
    progress.changed ||= rows.changed;
    for (const touched of rows.slots) addSlot(progress.slots, touched);
    // What is missing in D1 is about to be projected, maybe from a line that was read before.
    if (rows.late) return { progress: { ...progress, changed: true }, wait_ms: RETRY_MS };
    // What the ledger does not name may be the only copy that can be read.
    if (read.length === named.length) progress.changed ||= await segments.sweep();
    const here = indexes.filter((index) => index >= progress.from && index < segments.past);
    Object.assign(progress, counted(progress, { removal: work.removal, here, read }));
    progress.from = segments.past;
    next = indexes.find((index) => index >= progress.from);
  }
  if (next !== undefined) return { progress, wait_ms: 0 };
  if (progress.changed) return { progress: { ...progress, ...ROUND }, wait_ms: 0 };
  await settleRemoval(work.config, work.org, { removal: work.removal, over: true });
  return { progress: { ...progress, at: progress.slots.length === 0 ? "done" : "index" }, wait_ms: 0 };
}

/** Adds what listed entries are by now: `read` has the lines of every copy of them that could be read. */
function counted(
  { gone, quoting, held, unreadable }: Counted,
  { removal, here, read }: { removal: Removal; here: readonly number[]; read: readonly Map<number, string>[] },
): Counted {
  const [lines] = read;
  if (lines === undefined) return { gone, quoting, held, unreadable: unreadable + here.length };
  const free = here.filter((index) => read.every((copy) => copy.has(index)));
  const texts = free.map((index) => lines.get(index) as string);
  const went = goneBy(removal, texts);
  return {
    gone: addGone(gone, went),
    quoting: quoting + went.filter((one) => one.quoting).length,
    held: held + here.length - free.length,
    unreadable,
  };
}
type Counted = Pick<RemoveProgress, "gone" | "quoting" | "held" | "unreadable">;

function addSlot(slots: TouchedSlot[], touched: TouchedSlot): void {
  if (!slots.some(({ cell, slot }) => cell === touched.cell && slot === touched.slot)) slots.push(touched);
}

/** Search indexes are merged one after the other, some pages a step. */
async function mergeStep(config: Config, progress: RemoveProgress): Promise<RemoveStep> {
  const [touched, ...rest] = progress.slots;
  if (touched === undefined) return { progress: { ...progress, at: "done" }, wait_ms: 0 };
  const cell = config.cells.get(touched.cell);
  if (cell === undefined) throw new Error(`binding ${touched.cell} is missing`);
  const merged = await mergeTerms(cell, touched.slot, { begun: progress.merging, pages: TERMS_MERGE_PAGES });
  return { progress: { ...progress, slots: merged ? rest : progress.slots, merging: !merged }, wait_ms: 0 };
}
