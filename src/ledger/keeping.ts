import { ok, refuse, type Result } from "../errors.ts";
import { utcDay } from "../schema/policy.ts";
import type { Caller } from "../schema/caller.ts";
import type { Hold, HoldAct, Holds } from "../schema/hold.ts";
import type { NamedSegment } from "../schema/keep.ts";
import { ACT_BYTES } from "./acts.ts";
import type { Core } from "./core.ts";
import { refusedRunAct } from "./retention-acts.ts";
import { sealAct } from "./service-entry.ts";
import { transact } from "./transact.ts";
import { planPlaceHold, planReleaseHold } from "./hold-acts.ts";
import { listHolds } from "./holds.ts";
import type { OrgKeys } from "./keys.ts";
import type { Sequencer } from "./sequencer.ts";

/** `unknown`: those nobody has looked into. */
export type DueQuestion = { from: number; day: string; unknown: boolean; limit: number };

/** What of an org is kept, and for how long: its legal holds, and what is due to go. */
export class Keeping {
  readonly #core: Core;
  readonly #keys: OrgKeys;
  readonly #sequencer: Sequencer;

  constructor(core: Core, { keys, sequencer }: { keys: OrgKeys; sequencer: Sequencer }) {
    this.#core = core;
    this.#keys = keys;
    this.#sequencer = sequencer;
  }

  get standing(): Holds {
    return this.#core.state.holds;
  }

  holds(caller: Caller): Result<Hold[]> {
    const { state, storage } = this.#core;
    const principal = this.#keys.check(state.org.org, caller, "holds:write");
    return principal.ok ? ok(listHolds(storage.sql)) : principal;
  }

  actOnHold(caller: Caller, act: HoldAct): Promise<Result<Hold>> {
    const core = this.#core;
    return this.#sequencer.join({
      events: 1,
      bytes: ACT_BYTES,
      plan: (planning) => {
        const principal = this.#keys.check(core.state.org.org, caller, "holds:write");
        if (!principal.ok) return principal;
        const context = { core, planning, principal: principal.value };
        return act.do === "place" ? planPlaceHold(context, act.asked) : planReleaseHold(context, act);
      },
    });
  }

  /**
   * Whether a caller may have a run that takes what was to be kept until before `day` (null: today); answers that day. A day
   * to come is refused, and that it was asked for is sealed.
   */
  permitRun(caller: Caller, day: string | null): Promise<Result<string>> {
    const { state, now } = this.#core;
    return this.#sequencer.join({
      events: 1,
      bytes: ACT_BYTES,
      plan: ({ draft, now: at }): Result<string> => {
        const principal = this.#keys.check(state.org.org, caller, "policy:write");
        if (!principal.ok) return principal;
        const today = utcDay(now());
        if (day === null || day <= today) return ok(day ?? today);
        sealAct(draft, refusedRunAct({ by: principal.value.key, day, today }), at);
        const detail = `as_of: ${day} is to come, and nothing goes before the day it is kept until is over. This attempt is in the log.`;
        return refuse("unprocessable", detail);
      },
    });
  }

  /** Segments of entries from index `from` on that hold, or may hold, what was to be kept until before `day`. */
  dueSegments({ from, day, unknown, limit }: DueQuestion): NamedSegment[] {
    const due = unknown ? "keep_until is null" : "keep_until < ?";
    const { sql } = this.#core.storage;
    return sql
      .exec<NamedSegment>(
        `select first, last, name from segment where last >= ? and ${due} order by first limit ?`,
        ...(unknown ? [from, limit] : [from, day, limit]),
      )
      .toArray();
  }

  /** Remembers the earliest day that something of a segment is kept until. Of one that was written anew since nothing is known. */
  rememberDays(segments: readonly { name: string; keep_until: string }[]): void {
    const { sql } = this.#core.storage;
    transact(this.#core, () => {
      for (const { name, keep_until } of segments) {
        sql.exec("update segment set keep_until = ? where name = ?", keep_until, name);
      }
    });
  }
}
