import type { Refusal } from "../errors.ts";
import { BACKLOG_MAX_BYTES, BACKLOG_MAX_ENTRIES, GAUGE_MS } from "../limits.ts";
import { log } from "../log.ts";
import type { LedgerStatus } from "../schema/ledger.ts";
import { flushCounts } from "../store/flush-counts.ts";
import { saveGauge } from "../store/ledger-gauge.ts";
import { noticeOf } from "./closed.ts";
import { coldBefore } from "./cold.ts";
import type { Core } from "./core.ts";
import type { Publisher } from "./publisher.ts";
import { sequencedAtOf } from "./state.ts";

/** How a ledger stands, from memory. */
export function statusOf(
  { state }: Core,
  { refusal, projecting, publisher }: { refusal: Refusal | null; projecting: boolean; publisher: Publisher },
): LedgerStatus {
  const { backlog, placements } = state;
  const full = backlog.entries >= BACKLOG_MAX_ENTRIES || backlog.bytes > BACKLOG_MAX_BYTES;
  return {
    log: state.org.log,
    name: state.org.settings.name,
    size: state.head.size,
    ingestion: full || refusal !== null ? "overloaded" : "accepting",
    refusal: refusal?.detail ?? null,
    projected: state.projected,
    archived: state.archived,
    backlog,
    oldest_unarchived_at: state.oldestUnarchivedAt,
    projection: projecting ? "running" : "waiting",
    published: state.tree.size,
    oldest_unpublished_at: state.oldestUnpublishedAt,
    publishing: publisher.conflict !== null ? "stopped" : publisher.retryAt === null ? "running" : "waiting",
    conflict: publisher.conflict,
    witnesses: publisher.witnesses.status(),
    rebuilding: state.rebuilding,
    reads: state.switches.org === null ? null : noticeOf("org", state.switches.org),
    cold_before: coldBefore(state, state.earlier.length + 1),
    earlier: state.earlier.map(({ log, held, tree }) => ({ log, size: held.size, published: tree.size })),
    placements: placements.map(({ first_index, cell, org_number }) => ({ first_index, cell, org_number })),
  };
}

/** Tells the directory how a ledger stands, once a minute while it is awake: the source of lag metrics and the watchdog. */
export class Reporter {
  readonly #core: Core;
  #reportedAt = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Never throws: a report that was not saved is followed by the next. */
  async report(): Promise<void> {
    const { state, storage, config } = this.#core;
    // A ledger often has an isolate to itself: what was counted in there is flushed by nobody else.
    await flushCounts(config.directory);
    const at = this.#core.now();
    if (at - this.#reportedAt < GAUGE_MS) return;
    this.#reportedAt = at;
    const projected = state.projected ?? 0;
    const gauge = {
      org: state.org.org,
      size: state.head.size,
      projected,
      archived: state.archived,
      published: state.tree.size,
      oldest_unpublished_at: state.oldestUnpublishedAt,
      oldest_unprojected_at: projected < state.head.size ? sequencedAtOf(storage.sql, projected) : null,
      oldest_unarchived_at: state.oldestUnarchivedAt,
      at,
    };
    try {
      await saveGauge(config.directory, gauge);
    } catch (error) {
      log("warn", { message: "a ledger could not report", org: state.org.org, error: String(error) });
    }
  }
}
