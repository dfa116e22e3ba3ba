import { ok, refuse, type Result } from "../errors.ts";
import type { CoolLog, EntryPlace, KnownSegment, SegmentQuestion } from "../schema/tiers.ts";
import type { Archiver } from "./archiver.ts";
import { ACT_BYTES } from "./acts.ts";
import { coldBefore, planCool } from "./cold.ts";
import type { Core } from "./core.ts";
import { placeOf } from "./earlier.ts";
import { findIds } from "./receipts.ts";
import type { Sequencer } from "./sequencer.ts";

/** What has left the search database, and where it is found in R2. */
export class Tiers {
  readonly #core: Core;
  readonly #sequencer: Sequencer;
  readonly #archiver: Archiver;

  constructor(core: Core, { sequencer, archiver }: { sequencer: Sequencer; archiver: Archiver }) {
    this.#core = core;
    this.#sequencer = sequencer;
    this.#archiver = archiver;
  }

  /** Segments of the newest log, by the names the ledger gave them. One that was continued meanwhile is asked for anew. */
  segments({ log, low, high, order, limit }: SegmentQuestion): Result<KnownSegment[]> {
    const { storage, state } = this.#core;
    const { sql } = storage;
    if (log !== state.earlier.length + 1) return CONTINUED;
    const rows = sql.exec<KnownSegment>(
      `select first, last, name, head, sequenced_at from segment
       where first >= coalesce((select max(first) from segment where first <= ?1), 0) and first < ?2 and last >= ?1
       order by first ${order === "desc" ? "desc" : "asc"} limit ?3`,
      low,
      high,
      limit,
    );
    return ok(rows.toArray());
  }

  /** Where the entry of an id that its sender gave is, in any of the org's logs; null where no receipt tells. */
  placeOfId(id: string): EntryPlace | null {
    const { state, storage } = this.#core;
    const receipt = findIds(storage.sql, [id]).get(id);
    if (receipt === undefined) return null;
    const { index, log } = placeOf(state.earlier, receipt.position);
    const earlier = log === undefined ? undefined : state.earlier.find((one) => one.log === log);
    return { log: earlier?.number ?? state.earlier.length + 1, index };
  }

  /**
   * Takes entries that are proven to be in R2 for cold, from here on and for ever, and seals that. When it returns, the entry
   * that says so is in R2 too: a ledger that is rewound finds it there, and never looks for them in D1.
   */
  async cool({ log, before }: CoolLog): Promise<Result<{ before: number }>> {
    const { state } = this.#core;
    const cold = await this.#sequencer.join({
      events: 1,
      bytes: ACT_BYTES,
      plan: (planning) => {
        const due = this.#due({ log, before });
        return due.ok ? ok(planCool(planning, { state, log, before })) : due;
      },
    });
    if (!cold.ok) return cold;
    if (cold.value?.entry_log === state.earlier.length + 1) await this.#archiver.archiveTo(cold.value.entry + 1);
    return ok({ before: cold.value?.before ?? 0 });
  }

  /** Whether all below `before` is in R2, and copied to D1 once: what is copied later would be left in a slot that goes. */
  #due({ log, before }: CoolLog): Result<null> {
    const { state } = this.#core;
    if (before <= coldBefore(state, log)) return ok(null);
    const earlier = state.earlier.find(({ number }) => number === log);
    if (earlier !== undefined && before <= earlier.held.size) return ok(null);
    const newest = log === state.earlier.length + 1;
    const there = newest && before <= state.archived && before <= (state.projected ?? 0) && !state.rebuilding;
    const detail = "Entries are kept in the archive alone once D1 and R2 have both taken them.";
    return there ? ok(null) : refuse("overloaded", detail, { retry_after_s: 60 });
  }
}

const CONTINUED = refuse("overloaded", "The log was continued as a new one meanwhile: ask again.", {
  retry_after_s: 1,
});
