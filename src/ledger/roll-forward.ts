import { listSegments, readSegment, type Segment } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { assert, ok, refuse, type Result } from "../errors.ts";
import { PAGE_MAX_BYTES, RESTORE_PAGE_ENTRIES, STARTUP_COMPARE_MS } from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import type { Act } from "../schema/act.ts";
import { readFence } from "../store/cell.ts";
import { readEntries } from "../store/list-entries.ts";
import { listPlacements } from "../store/placement-table.ts";
import { within } from "../within.ts";
import { follow } from "./continue-chain.ts";
import type { Core } from "./core.ts";
import type { Creation } from "./create.ts";
import { Draft } from "./draft.ts";
import { openPlaced, placementAt, projectedUpTo } from "./placements.ts";
import { clearMark, readMark, type Restoring } from "./restore-mark.ts";
import { sealAct } from "./service-entry.ts";
import { signedBeyond } from "./signed-beyond.ts";
import { loadState, type State } from "./state.ts";
import { takeOver } from "./take-over.ts";
import { transact } from "./transact.ts";

/** All that one list operation names: more than the segments of a whole backlog, so that a rewound ledger sees its end. */
export const LIST_MAX_SEGMENTS = 1_000;

/**
 * What the stores hold of a log: D1 entries below `fence`, R2 `segments` from the ledger's archived size on and a checkpoint
 * of size `signed`, if it covers more than the ledger holds.
 */
type Held = { fence: number; segments: Segment[]; signed: number };

/**
 * Restores a ledger whose storage was rewound: takes over from R2, then from D1, every entry beyond its head that
 * continues its chain exactly, then seals that it did. Every step is one transaction, so a crash anywhere is gone on
 * from. Refuses, naming sizes, when something is in no store or does not fit: sealing on would fork the chain.
 */
export async function rollForward(core: Core): Promise<Result<null>> {
  const { state } = core;
  try {
    for (;;) {
      // Both have to be asked: what only the silent one holds would be forked by the next append.
      const held = await within(STARTUP_COMPARE_MS, ask(core));
      if (sizeOf(held) <= state.head.size) {
        sealRestored(core);
        state.projected = held.fence;
        return ok(null);
      }
      // A crash here, or after any entry taken over, leaves the mark: the next start goes on and seals.
      const stuck = await takeAll(core, held);
      if (stuck !== null)
        return refuse("overloaded", `${standing(state, held)} It cannot be rolled forward: ${stuck}. ${REMEDY}`);
    }
  } catch (error) {
    log("warn", { message: "a rewound ledger could not go on", org: state.org.org, error: String(error) });
    return refuse("overloaded", "The ledger was rewound and waits for D1 and R2, to roll forward.", {
      retry_after_s: 5,
    });
  }
}

/** Whether R2 or D1 hold entries of a log whose ledger holds nothing. Throws when neither says. */
export async function isHeld(config: Config, { log, placement }: Creation): Promise<boolean> {
  const cell = config.cells.get(placement.cell);
  assert(cell !== undefined, "a new placement names a bound cell");
  const [fence, segments] = await Promise.allSettled([
    readFence(cell, placement.org_number),
    listSegments(config.archive, { log, from: 0, limit: 1 }),
  ]);
  if (fence.status === "rejected" && segments.status === "rejected") throw fence.reason;
  const projected = fence.status === "fulfilled" && (fence.value ?? 0) > 0;
  return projected || (segments.status === "fulfilled" && segments.value.length > 0);
}

/** What a call is told that has waited long enough. */
export function rollingForward({ head }: State): Result<null> {
  const detail = `The ledger was rewound and is rolling forward: it holds ${head.size} entries so far.`;
  return refuse("overloaded", detail, { retry_after_s: 5 });
}

const REMEDY = "An operator has to restore it.";

/** How many entries the log has to have. */
function sizeOf({ fence, segments, signed }: Held): number {
  return Math.max(fence, signed, ...segments.map(({ last }) => last + 1));
}

function standing({ head }: State, { fence, segments, signed }: Held): string {
  const archived = segments.reduce((most, { last }) => Math.max(most, last + 1), 0);
  const holding = [
    fence > head.size ? `D1 holds newer entries, up to size ${fence}` : null,
    archived > head.size ? `R2 holds newer entries, up to size ${archived}` : null,
    signed > head.size ? `R2 holds a newer checkpoint, of size ${signed}` : null,
  ];
  return `The ledger was rewound to size ${head.size}: ${holding.filter((one) => one !== null).join("; ")}.`;
}

async function ask(core: Core): Promise<Held> {
  await takePlacements(core);
  const { state, config } = core;
  const of = { log: state.org.log, from: state.archived, limit: LIST_MAX_SEGMENTS };
  const [fence, segments, signed] = await Promise.all([
    projectedUpTo(core),
    listSegments(config.archive, of),
    signedBeyond(core),
  ]);
  return { fence, segments, signed };
}

/** Where later entries went to is no entry, but the directory has copies of it. */
async function takePlacements({ state, config, storage }: Core): Promise<void> {
  const known = state.placements.at(-1)?.first_index ?? -1;
  for (const { org: _, ...placement } of await listPlacements(config.directory, state.org.org)) {
    if (placement.log !== state.org.log || placement.first_index <= known || !config.cells.has(placement.cell))
      continue;
    storage.sql.exec(
      "insert into placement (first_index, log, cell, org_number) values (?, ?, ?, ?) on conflict do nothing",
      placement.first_index,
      placement.log,
      placement.cell,
      placement.org_number,
    );
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
  // Of two segments that begin alike, stored around a crash, the longer one says more.
  for (const segment of segments.toSorted((a, b) => a.first - b.first || b.last - a.last)) {
    if (segment.last < state.head.size) continue;
    if (segment.first > state.head.size) add(await takeRows(core, Math.min(segment.first, fence)));
    add(await takeSegment(core, segment));
  }
  // After a full list R2 may hold more, which is dearer to have from D1.
  if (segments.length === LIST_MAX_SEGMENTS && state.head.size > size) return null;
  add(await takeRows(core, fence));
  add(`entries ${state.head.size} to ${sizeOf(held) - 1} are in no store`);
  return state.head.size >= sizeOf(held) ? null : stuck.why;
}

async function takeSegment(core: Core, segment: Segment): Promise<string | null> {
  if (segment.first > core.state.head.size) {
    return `entries ${core.state.head.size} to ${segment.first - 1} are in no store`;
  }
  let lines: string[];
  try {
    lines = await readSegment(core.config.archive, segment);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return takeOver(core, { store: "R2", first: segment.first, lines, segment });
}

/** Takes over rows of D1 up to `until`, oldest first. They were sealed like any other, but only their chain says so. */
async function takeRows(core: Core, until: number): Promise<string | null> {
  const { state } = core;
  while (state.head.size < until) {
    const first = state.head.size;
    const { placement, until: edge } = placementAt(state.placements, first);
    const cell = await openPlaced(core, placement);
    const high = Math.min(first + RESTORE_PAGE_ENTRIES, until, edge);
    const found = new Map<number, string[]>();
    for (let top = high; top > first; ) {
      const rows = await readEntries(cell, { placement, low: first, high: top, limit_bytes: PAGE_MAX_BYTES });
      for (const { index, line } of rows) found.set(index, [...(found.get(index) ?? []), line]);
      top = rows.at(-1)?.index ?? first;
    }
    const { lines, stuck } = chooseLines(core, found);
    const misfit = lines.length === 0 ? stuck : takeOver(core, { store: "D1", first, lines, segment: null });
    if (misfit !== null) return misfit;
  }
  return null;
}

/** Of the rows at each index the one that follows; `stuck` says why there are no more. */
function chooseLines({ state }: Core, found: Map<number, string[]>): { lines: string[]; stuck: string } {
  const lines: string[] = [];
  let { head } = state;
  for (;;) {
    const { size } = head;
    const rows = found.get(size);
    if (rows === undefined) return { lines, stuck: `entry ${size} is in no store` };
    const read = rows.map((line) => follow(state.org.log, head, line));
    const following = read.filter((one) => typeof one !== "string");
    const [next] = following;
    if (next === undefined) {
      const why = read.filter((one) => typeof one === "string").join("; ");
      return { lines, stuck: `entry ${size} in D1: ${why}` };
    }
    if (following.some(({ hash }) => hash !== next.hash)) {
      return { lines, stuck: `D1 holds two entries ${size} that both continue the chain` };
    }
    lines.push(next.line);
    head = { size: size + 1, prev: next.hash, sequencedAt: Date.parse(next.leaf.sequenced_at) };
  }
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
