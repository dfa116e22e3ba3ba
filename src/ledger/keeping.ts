import { ok, type Result } from "../errors.ts";
import type { Caller } from "../schema/caller.ts";
import type { Hold, HoldAct, Holds } from "../schema/hold.ts";
import { ACT_BYTES } from "./acts.ts";
import type { Core } from "./core.ts";
import { planPlaceHold, planReleaseHold } from "./hold-acts.ts";
import { listHolds } from "./holds.ts";
import type { OrgKeys } from "./keys.ts";
import type { Sequencer } from "./sequencer.ts";

/** What of an org is kept, and for how long: its legal holds. */
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
}
