import { redactLine } from "../chain/redact.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { REMOVE_WAIT_MS } from "../limits.ts";
import {
  absenceCauseOf,
  type Forgetting,
  type NamedSegment,
  type NewCause,
  type Rewritten,
  type UnderWay,
} from "../schema/keep.ts";
import { utcDay } from "../schema/policy.ts";
import { quotes } from "../store/quoted.ts";
import { ACT_BYTES } from "./acts.ts";
import { loadSwitches } from "./closed.ts";
import { forgetWords } from "./forget-words.ts";
import type { Archiver } from "./archiver.ts";
import type { Core } from "./core.ts";
import { planOnce } from "./once.ts";
import type { Lease } from "./lease.ts";
import type { Projector } from "./projector.ts";
import { planForgetReads } from "./reads.ts";
import { clearPrints, hideIds } from "./receipts.ts";
import type { Planning, Sequencer } from "./sequencer.ts";
import { sealAct } from "./service-entry.ts";
import { rewriteStaged } from "./staged.ts";
import { transact } from "./transact.ts";
import { endFreed, endRemoval, enterFreed, enterRemoval, leaveFreed, listUnderWay } from "./under-way.ts";

type Parts = { sequencer: Sequencer; archiver: Archiver; projector: Projector; lease: Lease };

const CHANGED = refuse("conflict", "A hold was placed or released meanwhile: what may go has to be found anew.");

const EARLY = refuse("unprocessable", "Nothing goes before the day it is kept until is over.");

/** How sections leave: the ledger seals why, and lets go of what it holds itself. What lies in R2 and D1 is for who asked. */
export class Removals {
  readonly #core: Core;
  readonly #parts: Parts;

  constructor(core: Core, parts: Parts) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Waits until the entries below `size` are in segments and in D1: from there on nothing copies them by itself any more. */
  async settle(size: number): Promise<Result<null>> {
    const { archiver, projector } = this.#parts;
    try {
      await archiver.archiveTo(size);
      if ((await projector.waitFor(size, REMOVE_WAIT_MS)) >= size) return ok(null);
    } catch {
      // What kept them is told of where it happened.
    }
    return refuse("overloaded", `Entries below ${size} are not all in D1 and R2 yet.`, { retry_after_s: 5 });
  }

  /**
   * Seals a cause, if the holds are still those its list was made with; answers the index and the number of the log. Its list has to be in R2
   * already: a crash after this leaves a cause whose sections are still there, and whoever asks again gets the same one. When it returns, the cause is in
   * R2 too: a ledger that is set back finds it there, else what went by it would be missing for no reason.
   */
  async seal({
    cause,
    log,
    before,
    list,
    holds_version,
    act,
    once,
    again = false,
  }: NewCause): Promise<Result<{ by: number; by_log: number }>> {
    const { state, storage } = this.#core;
    const plan = (planning: Planning): Result<{ by: number; by_log: number }> => {
      const by_log = state.earlier.length + 1;
      if (cause === "expired" && !hasCome(before, planning)) return EARLY;
      const metadata = { list: log === by_log ? list : { ...list, log }, ...act.metadata };
      const { draft, now } = planning;
      const seal = () => {
        if (again || planning.holds.version !== holds_version) return null;
        const by = sealAct(draft, { ...act, category: "config_change", metadata, forever: true }, now).index;
        draft.write((sql) => enterRemoval(sql, { by, by_log, log, list: list.sha256 }, { now, freed: null }));
        return by;
      };
      const name = `${once}  ${list.sha256} ${log} ${by_log} ${holds_version}`;
      const by = planOnce({ ...planning, sql: storage.sql }, name, seal);
      return by === null ? CHANGED : ok({ by, by_log });
    };
    const sealed = await this.#parts.sequencer.join({ events: 1, bytes: ACT_BYTES, plan });
    if (!sealed.ok || sealed.value.by_log !== state.earlier.length + 1) return sealed;
    // A crash here leaves a cause that nothing has gone by: whoever asks again gets it, once it is in R2.
    const past = sealed.value.by + 1;
    try {
      await this.#parts.archiver.archiveTo(past);
      return sealed;
    } catch {
      return refuse("overloaded", `Entries below ${past} are not all in R2 yet.`, { retry_after_s: 5 });
    }
  }

  /** Closes reads that are open and quote any of `texts`, and with `viewer` those of that person; answers how many. */
  closeReads({ texts, viewer }: Forgetting): Promise<number> {
    const { sql } = this.#core.storage;
    const plan = (planning: Planning) =>
      planForgetReads({ ...planning, sql }, (session) => {
        const reader = session.viewer?.actor;
        const own = viewer !== null && reader?.type === viewer.type && reader.id === viewer.id;
        return own || quotes(session.filter, texts);
      });
    return this.#parts.sequencer.join({ events: 1, bytes: ACT_BYTES, plan });
  }

  /**
   * Lets go of what a segment that was written anew does not hold any more: names it in place of the old one, takes the same from staged
   * rows, and has receipts forget what was sent, and lists what was said, in one transaction. From here on this is what the entries are: the old object may go. Done again it changes nothing.
   */
  release({ removal, holder, segment, absent, ids, hidden, batches, unsaid, holds_version }: Rewritten): Result<null> {
    const core = this.#core;
    const { state, storage } = core;
    const leased = this.#parts.lease.renew(holder);
    if (!leased.ok) return leased;
    if (state.holds.version !== holds_version) return CHANGED;
    const { sql } = storage;
    const inR2Alone = segment === null || removal.log !== state.earlier.length + 1;
    const forget = () => {
      enterRemoval(sql, removal, { now: core.now(), freed: inR2Alone ? core.now() : null });
      clearPrints(sql, { ids, batches });
      hideIds(sql, hidden);
      forgetWords(sql, { log: removal.log, acts: unsaid });
    };
    if (!inR2Alone) {
      const named = sql
        .exec<NamedSegment>("select first, last, name from segment where first = ?", segment.first)
        .toArray()[0];
      if (named === undefined || (named.name !== segment.old && named.name !== segment.name)) {
        return refuse("conflict", "The ledger names another segment by now.");
      }
      const saved = transact(core, () => {
        sql.exec("update segment set name = ?, keep_until = null where first = ?", segment.name, segment.first);
        forget();
        const sections = new Map(absent);
        const cause = absenceCauseOf(removal);
        return rewriteStaged(sql, named, (index, line) => redactLine(line, sections.get(index) ?? [], cause));
      });
      state.backlog = { ...state.backlog, bytes: state.backlog.bytes - saved };
    } else transact(core, forget);
    state.switches = loadSwitches(sql);
    return ok(null);
  }

  /** What was released last has gone from R2, where it lay alone: `over`, all of the removal has. */
  gone(removal: UnderWay, { over }: { over: boolean }): void {
    transact(this.#core, () => (over ? endRemoval : endFreed)(this.#core.storage.sql, removal));
  }

  /** Lets go of what is no entry, if the holds are still the same; until it has gone, no hold is placed. */
  freeElsewhere(holds_version: number): Result<null> {
    const core = this.#core;
    if (core.state.holds.version !== holds_version) return CHANGED;
    transact(core, () => enterFreed(core.storage.sql, core.now()));
    return ok(null);
  }

  /** What was let go of last beside the log has gone. */
  goneElsewhere(): void {
    transact(this.#core, () => leaveFreed(this.#core.storage.sql));
  }

  /** Removals that something is still to be done for. */
  get underWay(): UnderWay[] {
    return listUnderWay(this.#core.storage.sql, this.#core.now());
  }
}

/** By the time the cause says it was sealed at: a verifier goes by that. */
function hasCome(day: string | undefined, { draft }: Planning): boolean {
  return day !== undefined && day <= utcDay(draft.sequencedAt);
}
