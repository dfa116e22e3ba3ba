import { ok, refuse, type Result } from "../errors.ts";
import { type Caller, maySeeWhole, nameOf } from "../schema/caller.ts";
import type { Known } from "../schema/ledger.ts";
import {
  type CloseReads,
  type Opening,
  type Quarantine,
  type QuarantineAct,
  type ReadsClosed,
  type ReadsView,
  refuseClosed,
  type SwitchOf,
  type VerifyRun,
} from "../schema/reads.ts";
import { ACT_BYTES } from "./acts.ts";
import { noticeOf, type Switches } from "./closed.ts";
import { coldBefore } from "./cold.ts";
import type { Core } from "./core.ts";
import type { OrgKeys, Principal } from "./keys.ts";
import { planAnnotate, planPlace, planRelease } from "./quarantine-acts.ts";
import { listQuarantines } from "./quarantines.ts";
import { planClose, planOpen, viewOf } from "./reads-acts.ts";
import type { Planning, Sequencer } from "./sequencer.ts";
import { transact } from "./transact.ts";
import { recordRun } from "./verified.ts";

/** Whether, and what, of an org may be read: its switch (in org `platform` the deployment's too) and its quarantines. */
export class Reading {
  readonly #core: Core;
  readonly #keys: OrgKeys;
  readonly #sequencer: Sequencer;

  constructor(core: Core, { keys, sequencer }: { keys: OrgKeys; sequencer: Sequencer }) {
    this.#core = core;
    this.#keys = keys;
    this.#sequencer = sequencer;
  }

  /** Refused while the org's switch is closed; a plan asks how it stands in its draft. */
  open({ org }: Switches = this.#core.state.switches): Result<null> {
    return org === null ? ok(null) : refuseClosed(noticeOf("org", org));
  }

  /** Whether what a caller asked for may still leave. */
  mayLeave(caller: Caller, known: Known): Result<null> {
    const principal = this.#keys.check(this.#core.state.org.org, caller, "events:read");
    if (!principal.ok) return principal;
    const open = this.open();
    return open.ok ? this.stillSo(known) : open;
  }

  /**
   * Refused, to be asked again, when a quarantine stands that the reader's grant did not name, for the answer may show what it covers; and when more
   * entries are in R2 alone than it said, for D1 may not have had them any more when it was asked.
   */
  stillSo(
    { quarantines, cold }: Known,
    { standing, ...state }: Pick<Planning, "standing" | "cold"> = this.#core.state,
  ): Result<null> {
    if (!standing.every(({ id }) => quarantines.includes(id))) return QUARANTINED;
    return cold.every((before, n) => before === coldBefore(state, n + 1)) ? ok(null) : COOLED;
  }

  /** What is told of a switch that is closed; null when it is open. */
  notice(of: SwitchOf): ReadsClosed | null {
    const closed = this.#core.state.switches[of];
    return closed === null ? null : noticeOf(of, closed);
  }

  view(caller: Caller, of: SwitchOf): Result<ReadsView> {
    const principal = this.#check(caller, of);
    return principal.ok ? ok(viewOf(this.#core, of)) : principal;
  }

  async close(caller: Caller, of: SwitchOf, asked: CloseReads): Promise<Result<ReadsView>> {
    const closed = await this.#act(caller, of, (context) => planClose({ ...context, of }, asked));
    return closed.ok ? ok(viewOf(this.#core, of)) : closed;
  }

  async reopen(caller: Caller, of: SwitchOf, opening: Opening): Promise<Result<ReadsView>> {
    const keys = this.#keys;
    const opened = await this.#act(caller, of, (context) => planOpen({ ...context, of, keys }, opening));
    return opened.ok ? ok(viewOf(this.#core, of)) : opened;
  }

  /** Puts a finished verification on record; answers whether it counts. */
  record(run: VerifyRun): boolean {
    const { state, storage } = this.#core;
    const now = this.#core.now();
    return transact(this.#core, () => recordRun(storage.sql, run, { switches: state.switches, now }));
  }

  /** For who reads: whose window is withheld is told why. */
  quarantines(caller: Caller): Result<Quarantine[]> {
    const { state, storage } = this.#core;
    const principal = this.#keys.check(state.org.org, caller, "events:read");
    if (!principal.ok) return principal;
    const whole = maySeeWhole(principal.value);
    return whole.ok ? ok(listQuarantines(storage.sql)) : whole;
  }

  actOnQuarantine(caller: Caller, act: QuarantineAct): Promise<Result<Quarantine>> {
    return this.#act(caller, "org", (context) => {
      switch (act.do) {
        case "place":
          return planPlace(context, act.asked);
        case "release":
          return planRelease(context, act);
        case "annotate":
          return planAnnotate(context, act);
      }
    });
  }

  #act<T>(
    caller: Caller,
    of: SwitchOf,
    plan: (context: { core: Core; planning: Planning; by: string }) => Result<T>,
  ): Promise<Result<T>> {
    const core = this.#core;
    return this.#sequencer.join({
      events: 1,
      bytes: ACT_BYTES,
      plan: (planning) => {
        const principal = this.#check(caller, of);
        if (!principal.ok) return principal;
        return isKey(caller) ? plan({ core, planning, by: principal.value.key }) : NOT_A_KEY;
      },
    });
  }

  /** Who turns the deployment's switch reaches every org, though not all of them org `platform`, which keeps it. */
  #check(caller: Caller, of: SwitchOf): Result<Principal> {
    if (of === "org") return this.#keys.check(this.#core.state.org.org, caller, "reads:write");
    const may = caller.kind === "trusted" && caller.scopes.includes("reads:write") && typeof caller.orgs === "string";
    if (!may) return NOT_EVERY_ORG;
    return ok({ key: nameOf(caller), scopes: caller.scopes, viewer: null, restriction: null });
  }
}

const QUARANTINED = refuse("overloaded", "A quarantine was placed meanwhile: ask again.", { retry_after_s: 1 });
const COOLED = refuse("overloaded", "A month left the search database meanwhile: ask again.", { retry_after_s: 1 });
const NOT_A_KEY = refuse("forbidden", "This takes a key: one of the org, one of the platform, or the root key.");
const NOT_EVERY_ORG = refuse(
  "forbidden",
  "This needs the scope reads:write on every org: the root key, or a platform key.",
);

/** Two tokens of one key, or two bindings of one Worker, are one hand: only keys stop and open reading. */
function isKey(caller: Caller): boolean {
  return caller.kind === "org_key" || (caller.kind === "trusted" && /^(root$|ind_p)/.test(caller.name));
}
