import { listSegments, namesLines, readSegment, type Segment } from "../archive/segment.ts";
import { listCheckpoints } from "../archive/tree.ts";
import { refuse, type Result, ok } from "../errors.ts";
import { STARTUP_COMPARE_MS } from "../limits.ts";
import { log } from "../log.ts";
import type { Core } from "./core.ts";
import { projectedUpTo } from "./placements.ts";
import { dropStaged, recordSegment, type StagedRow } from "./staged.ts";
import { within } from "../within.ts";

/** All that one list operation names: more than the segments of a whole backlog, so that a rewound ledger sees its end. */
const ADOPT_MAX_SEGMENTS = 1_000;

/** A ledger behind a store must not seal on: its new entries would fork the chain. */
export function rewound(held: "D1 holds newer entries" | "R2 holds newer entries" | "R2 holds a newer checkpoint") {
  return refuse("overloaded", `The ledger was rewound: ${held}. An operator has to restore it.`);
}

/**
 * Compares a ledger that has just started with what D1 and R2 remember of it, asked in parallel. One that answers and
 * does not contradict lets appends go on; neither is `overloaded`. A store that is ahead of the ledger means that the
 * ledger was rewound: sealing on would fork the chain, so everything is refused until it is restored.
 */
export async function compareOnStart(core: Core): Promise<Result<null>> {
  const { state, config } = core;
  const [fence, segments, checkpoints] = await Promise.allSettled([
    within(STARTUP_COMPARE_MS, projectedUpTo(core)),
    within(
      STARTUP_COMPARE_MS,
      listSegments(config.archive, { log: state.org.log, from: state.archived, limit: ADOPT_MAX_SEGMENTS }),
    ),
    within(STARTUP_COMPARE_MS, listCheckpoints(config.archive, { log: state.org.log, after: state.tree.size })),
  ]);
  if (fence.status === "rejected" && segments.status === "rejected") {
    return refuse("overloaded", "Neither D1 nor R2 answers, so the ledger cannot check that it is whole.", {
      retry_after_s: 5,
    });
  }
  const fenceAhead = fence.status === "fulfilled" && fence.value > state.head.size;
  const segmentsAhead = segments.status === "fulfilled" && segments.value.some(({ last }) => last >= state.head.size);
  if (fenceAhead || segmentsAhead) return rewound(fenceAhead ? "D1 holds newer entries" : "R2 holds newer entries");
  if (checkpoints.status === "fulfilled") {
    const { sizes, whole } = checkpoints.value;
    // A crash leaves one or two that were not recorded; this ledger never had a thousand.
    if (!whole || (sizes.at(-1) ?? 0) > state.head.size) return rewound("R2 holds a newer checkpoint");
    state.aheadCheckpoints = sizes;
  }
  if (fence.status === "fulfilled") state.projected = fence.value;
  if (segments.status === "fulfilled") {
    for (const segment of segments.value) await adopt(core, segment);
    dropStaged(core);
  }
  return ok(null);
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
