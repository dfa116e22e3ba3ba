import { type ListedSegment, listSegments, namesLines, readSegment, type Segment } from "../archive/segment.ts";
import { refuse, type Result, ok } from "../errors.ts";
import { STARTUP_COMPARE_MS, R2_LIST_MAX_KEYS } from "../limits.ts";
import { log } from "../log.ts";
import { listPlacements, savePlacement } from "../store/placement-table.ts";
import type { Core } from "./core.ts";
import { projectedUpTo } from "./placements.ts";
import { readMark } from "./restore-mark.ts";
import { retakeRemoved } from "./retake-removed.ts";
import { rollForward } from "./roll-forward.ts";
import { signedBeyond } from "./signed-beyond.ts";
import { dropStaged, recordSegment, type StagedRow } from "./staged.ts";
import { transact } from "./transact.ts";
import { forgetIdle, isRemoving } from "./under-way.ts";
import { within } from "../within.ts";

/**
 * Compares a ledger that has just started with what D1 and R2 remember of it, asked in parallel. One that answers and
 * does not contradict lets appends go on; neither is `overloaded`. A store that is ahead of the ledger means that the
 * ledger was rewound: sealing on would fork the chain, so it is rolled forward first, or refuses everything.
 */
export async function compareOnStart(core: Core): Promise<Result<null>> {
  const { state, config } = core;
  const [fence, segments, signed, later] = await Promise.allSettled([
    within(STARTUP_COMPARE_MS, projectedUpTo(core)),
    within(
      STARTUP_COMPARE_MS,
      listSegments(config.archive, { log: state.org.log, from: state.archived, limit: R2_LIST_MAX_KEYS }),
    ),
    within(STARTUP_COMPARE_MS, signedBeyond(core)),
    within(STARTUP_COMPARE_MS, laterLog(core)),
  ]);
  // Once a store has contradicted, its silence is no answer.
  const silent = [fence, segments, signed].filter(({ status }) => status === "rejected").length;
  if ((fence.status === "rejected" && segments.status === "rejected") || (core.stuck !== null && silent > 0)) {
    return refuse("overloaded", "D1 and R2 do not answer, so the ledger cannot check that it is whole.", {
      retry_after_s: 5,
    });
  }
  if (segments.status === "fulfilled") for (const segment of segments.value) await adopt(core, segment);
  const { size } = state.head;
  const continued = later.status === "fulfilled" ? later.value : null;
  const ahead =
    continued !== null ||
    (fence.status === "fulfilled" && fence.value > size) ||
    (segments.status === "fulfilled" && segments.value.some(({ last }) => last >= size)) ||
    (signed.status === "fulfilled" && signed.value > size);
  if (ahead || readMark(core.storage.sql) !== null) {
    const restored = await rollForward(core, continued);
    if (!restored.ok) return restored;
  } else {
    if (fence.status === "fulfilled") state.projected = fence.value;
    if (segments.status === "fulfilled") await catchUpRemovals(core, segments.value);
  }
  if (segments.status === "fulfilled") dropStaged(core);
  return ok(null);
}

/** A ledger set back to where a removal had begun lacks no entry, and may name segments that are gone since. */
async function catchUpRemovals(core: Core, beyond: readonly ListedSegment[]): Promise<void> {
  if (!isRemoving(core.storage.sql)) return;
  try {
    await retakeRemoved(core, beyond);
    transact(core, () => forgetIdle(core.storage.sql, core.now()));
  } catch (error) {
    // Nothing is lost by it but time: appends go on, and the next start looks again.
    log("warn", { message: "what a removal took is not looked for", org: core.state.org.org, error: String(error) });
  }
}

/**
 * A log of the org that this ledger does not know; null where the directory has none. Two would grow at once, so the
 * directory is told of this log, should it not have been when the log began.
 */
async function laterLog({ state, config }: Core): Promise<string | null> {
  const { org, log: own } = state.org;
  const known = new Set([own, ...state.earlier.map(({ log: origin }) => origin)]);
  const placed = await listPlacements(config.directory, org);
  if (!placed.some(({ log: origin }) => origin === own)) {
    await Promise.all(state.placements.map((placement) => savePlacement(config.directory, { org, ...placement })));
  }
  return placed.findLast(({ log: origin }) => !known.has(origin))?.log ?? null;
}

/**
 * Takes over a segment that was stored just before a crash, if it holds exactly the rows that are staged: its name has to
 * say so, and its bytes as well. Nothing else runs before the comparison is through.
 */
async function adopt(core: Core, segment: Segment): Promise<void> {
  if (segment.first !== core.state.archived) return;
  const rows = core.storage.sql
    .exec<StagedRow>("select * from staged where first between ? and ? order by first", segment.first, segment.last)
    .toArray();
  if (!namesLines(segment, rows.map(({ lines }) => lines).join("\n"))) return;
  try {
    await within(STARTUP_COMPARE_MS, readSegment(core.config.archive, segment));
  } catch (error) {
    // Its rows are archived like any others, under a name that holds them.
    log("warn", { message: "a segment is not adopted", name: segment.name, error: String(error) });
    return;
  }
  recordSegment(core, segment, rows);
}
