import { type ListedSegment, listSegments } from "../archive/segment.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { STARTUP_COMPARE_MS, R2_LIST_MAX_KEYS } from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import type { Act } from "../schema/act.ts";
import type { Fence } from "../store/cell.ts";
import { listPlacements } from "../store/placement-table.ts";
import { within } from "../within.ts";
import type { Core } from "./core.ts";
import { Draft } from "./draft.ts";
import { isHeadMac } from "./head-mac.ts";
import { fenceOf, savePlaced } from "./placements.ts";
import { retakeRemoved } from "./retake-removed.ts";
import { clearMark, readMark, type Restoring } from "./restore-mark.ts";
import { sealAct } from "./service-entry.ts";
import { signedBeyond } from "./signed-beyond.ts";
import { type Head, loadState, type State } from "./state.ts";
import { inNoStore } from "./take-over.ts";
import { takeRows } from "./take-rows.ts";
import { takeSegment } from "./take-segment.ts";
import { transact } from "./transact.ts";

/**
 * What the stores hold of a log: D1 entries below its `fence`, R2 `segments` from the ledger's archived size on and a checkpoint
 * of size `signed`, if it covers more than the ledger holds.
 */
type Held = { fence: Fence; segments: ListedSegment[]; signed: number };

/**
 * Restores a ledger whose storage was rewound: takes over from R2, then from D1, every entry beyond its head that
 * continues its chain exactly and that the ledger's own word vouches for, then seals that it did. Every step is one transaction, so a crash anywhere is gone on
 * from. Refuses, naming sizes, when something is in no store or does not fit: sealing on would fork the chain. A log that was
 * `continued` as another is taken over as far as it goes, for its receipts and keys are the org's, and nothing is sealed.
 */
export async function rollForward(core: Core, continued: string | null): Promise<Result<null>> {
  const { state } = core;
  try {
    for (;;) {
      // Both have to be asked: what only the silent one holds would be forked by the next append.
      const held = await within(STARTUP_COMPARE_MS, ask(core));
      const whole = sizeOf(held) <= state.head.size;
      // A crash here, or after any entry taken over, leaves the mark: the next start goes on and seals.
      const stuck = whole ? null : await takeAll(core, held);
      if (!whole && stuck === null) continue;
      if (continued !== null) return refuseStuck(core, before(continued), `${continued} is not in its storage`);
      if (stuck !== null) return refuseStuck(core, standing(state, held), stuck);
      await retakeRemoved(core, held.segments);
      sealRestored(core);
      core.stuck = null;
      state.projected = held.fence.next;
      return ok(null);
    }
  } catch (error) {
    log("warn", { message: "a rewound ledger could not go on", org: state.org.org, error: String(error) });
    return refuse("overloaded", "The ledger was rewound and waits for D1 and R2, to roll forward.", {
      retry_after_s: 5,
    });
  }
}

/** What a call is told that has waited long enough. */
export function rollingForward({ head }: State): Result<null> {
  const detail = `The ledger was rewound and is rolling forward: it holds ${head.size} entries so far.`;
  return refuse("overloaded", detail, { retry_after_s: 5 });
}

/** What is told of a ledger that goes on only by an operator's word; `stuck` is why. */
function refuseStuck(core: Core, standing: string, stuck: string): Result<null> {
  core.stuck = stuck;
  return refuse("overloaded", `${standing} It cannot be rolled forward: ${stuck}. ${REMEDY}`);
}

const REMEDY =
  "An operator has to bring back what is missing, or to begin a new log with a reason: POST /v1/orgs/{org}/continue.";

function before(continued: string): string {
  return `The ledger was rewound to before its log was continued as ${continued}.`;
}

/** How many entries the log has to have. */
function sizeOf({ fence, segments, signed }: Held): number {
  return Math.max(fence.next, signed, ...segments.map(({ last }) => last + 1));
}

function standing({ head }: State, { fence, segments, signed }: Held): string {
  const archived = segments.reduce((most, { last }) => Math.max(most, last + 1), 0);
  const holding = [
    fence.next > head.size ? `D1 holds newer entries, up to size ${fence.next}` : null,
    archived > head.size ? `R2 holds newer entries, up to size ${archived}` : null,
    signed > head.size ? `R2 holds a newer checkpoint, of size ${signed}` : null,
  ];
  return `The ledger was rewound to size ${head.size}: ${holding.filter((one) => one !== null).join("; ")}.`;
}

async function ask(core: Core): Promise<Held> {
  await takePlacements(core);
  const { state, config } = core;
  const of = { log: state.org.log, from: state.archived, limit: R2_LIST_MAX_KEYS };
  const [fence, segments, signed] = await Promise.all([
    fenceOf(core),
    listSegments(config.archive, of),
    signedBeyond(core),
  ]);
  return { fence, segments, signed };
}

/** Where later entries went to is no entry, but the directory has copies of it. */
async function takePlacements(core: Core): Promise<void> {
  const { state, config, storage } = core;
  const known = state.placements.at(-1)?.first_index ?? -1;
  for (const { org: _, ...placement } of await listPlacements(config.directory, state.org.org)) {
    if (placement.log !== state.org.log || placement.first_index <= known || !config.cells.has(placement.cell))
      continue;
    transact(core, () => savePlaced(storage.sql, placement));
  }
  state.placements = loadState(storage.sql)?.placements ?? state.placements;
}

/** Takes over all that fits; answers what keeps the ledger from the end of what is held, or null. */
async function takeAll(core: Core, held: Held): Promise<string | null> {
  const { state } = core;
  const { fence, segments } = held;
  const { size } = state.head;
  let stuck = { at: -1, why: "" };
  // The first reason at a size is the one to tell; one that was got past is none.
  const add = (why: string | null) => {
    if (why !== null && stuck.at < state.head.size) stuck = { at: state.head.size, why };
  };
  // Of two segments that begin alike, stored around a crash, the longer one says more; of two of the same entries the later one was written anew.
  const sorted = segments.toSorted((a, b) => a.first - b.first || b.last - a.last || b.uploaded - a.uploaded);
  for (const segment of sorted) {
    if (segment.last < state.head.size) continue;
    add(await takeSegment(core, segment, fence.next));
  }
  // After a full list R2 may hold more, which is dearer to have from D1.
  if (segments.length === R2_LIST_MAX_KEYS && state.head.size > size) return null;
  const vouched = (head: Head) => isHeadMac(core.config, state.org.log, { head, mac: fence.head_mac });
  add(await takeRows(core, { until: fence.next, vouched }));
  add(inNoStore(state.head.size, sizeOf(held) - 1));
  return state.head.size >= sizeOf(held) ? null : stuck.why;
}

function sealRestored(core: Core): void {
  const { state, storage } = core;
  const mark = readMark(storage.sql);
  if (mark === null) return;
  const now = core.now();
  const draft = new Draft(state, now);
  sealAct(draft, restoredAct(mark, state.head.size), now);
  draft.write(clearMark);
  transact(core, () => draft.commit(storage.sql));
  Object.assign(state, loadState(storage.sql));
  count("audit_logs_restored_total");
  log("warn", { message: "a rewound ledger was rolled forward", org: state.org.org, from: mark.from_size });
}

function restoredAct({ from_size, sources, keys_lost }: Restoring, to_size: number): Act {
  return {
    action: "indelible.log.restored",
    category: "config_change",
    actor: { type: "service", id: "ledger" },
    key: "service",
    note: { reason: "The ledger's storage held fewer entries than R2 or D1." },
    metadata: { from_size, to_size, sources, keys_lost },
  };
}
