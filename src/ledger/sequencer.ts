import type { Core } from "./core.ts";
import { CLOCK_AHEAD_MAX_MS } from "../limits.ts";
import { count } from "../meter.ts";
import type { DraftReceipts } from "./append.ts";
import type { Switches } from "./closed.ts";
import type { Cold } from "./cold.ts";
import { Draft } from "./draft.ts";
import { Gather, type Work } from "./gather.ts";
import type { Holds } from "../schema/hold.ts";
import type { OrgSettings } from "../schema/ledger.ts";
import type { Standing } from "./quarantines.ts";
import type { DraftSessions } from "./reads.ts";
import { transact } from "./transact.ts";

/** What a plan may use: one draft, and what earlier callers of the same draft added that storage does not show yet. */
export type Planning = {
  draft: Draft;
  receipts: DraftReceipts;
  sessions: DraftSessions;
  settings: OrgSettings;
  switches: Switches;
  cold: ReadonlyMap<number, Cold>;
  standing: readonly Standing[];
  holds: Holds;
  now: number;
};

/** The only way into an org's log: work is gathered, planned in memory, and committed in one synchronous transaction. */
export class Sequencer {
  readonly #core: Core;
  readonly #gather: Gather;
  #planning: Planning | null = null;

  /** `committed` is told after each transaction that sealed something. */
  constructor(core: Core, committed: () => void) {
    this.#core = core;
    this.#gather = new Gather({
      begin: () => {
        const now = core.now();
        const receipts = { batches: new Map(), ids: new Map(), once: new Map() };
        const draft = new Draft(core.state, now);
        const { org, switches, standing, cold, holds } = core.state;
        const { settings } = org;
        this.#planning = { draft, receipts, sessions: new Map(), settings, switches, standing, cold, holds, now };
        return draft;
      },
      commit: (draft) => {
        this.#commit(draft);
        committed();
      },
    });
  }

  /** Joins the next transaction; resolves with the plan's answer once it is committed. */
  join<T>({ events, bytes, plan }: { events: number; bytes: number; plan: (planning: Planning) => T }): Promise<T> {
    const work: Work<T> = { events, bytes, plan: () => plan(this.#planning as Planning) };
    return this.#gather.join(work);
  }

  #commit(draft: Draft): void {
    const { state, storage } = this.#core;
    const staged = transact(this.#core, () => draft.commit(storage.sql));
    draft.tellCommitted();
    if (staged.entries === 0) return;
    // Memory follows storage, never the other way round.
    state.head = draft.head;
    state.backlog = { entries: state.backlog.entries + staged.entries, bytes: state.backlog.bytes + staged.bytes };
    state.unarchivedBytes += staged.bytes;
    state.oldestUnarchivedAt ??= draft.sequencedAt;
    state.oldestUnpublishedAt ??= draft.sequencedAt;
    if (draft.sequencedAt - this.#core.now() > CLOCK_AHEAD_MAX_MS) count("audit_clock_ahead_total");
  }
}
