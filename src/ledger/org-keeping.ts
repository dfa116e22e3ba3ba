import { DurableObject } from "cloudflare:workers";
import { ok, type Result } from "../errors.ts";
import type { Caller } from "../schema/caller.ts";
import type { Hold, HoldAct, Holds } from "../schema/hold.ts";
import type { OrgSettings } from "../schema/ledger.ts";
import type { RetentionPolicy } from "../schema/policy.ts";
import type { Door } from "./door.ts";

/** The calls of an org's ledger about what is kept and what goes. */
export abstract class OrgKeeping extends DurableObject<Env> {
  protected abstract readonly door: Door;

  /** Makes this the policy by which entries to come are kept; answers the settings. */
  changeRetention(org: string, caller: Caller, retention: RetentionPolicy): Promise<Result<OrgSettings>> {
    return this.door.admit(org, caller, ({ acts }) => acts.changeSettings(caller, "policy:write", { retention }));
  }

  /** The org's legal holds: all that stand, then those released last. */
  holds(org: string, caller: Caller): Promise<Result<Hold[]>> {
    return this.door.pass(org, ({ keeping }) => keeping.holds(caller));
  }

  /** The holds that stand, for who lets entries go. */
  standingHolds(org: string): Promise<Result<Holds>> {
    return this.door.pass(org, ({ keeping }) => ok(keeping.standing));
  }

  actOnHold(org: string, caller: Caller, act: HoldAct): Promise<Result<Hold>> {
    return this.door.pass(org, ({ keeping }) => keeping.actOnHold(caller, act));
  }
}
