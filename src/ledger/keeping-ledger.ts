import { ok, type Result } from "../errors.ts";
import type { Caller } from "../schema/caller.ts";
import type { Hold, HoldAct, Holds } from "../schema/hold.ts";
import type { Forgetting, NamedSegment, NewCause, Rewritten, UnderWay } from "../schema/keep.ts";
import type { OrgSettings } from "../schema/ledger.ts";
import type { RetentionPolicy } from "../schema/policy.ts";
import { WHILE_HELD } from "./door.ts";
import type { DueQuestion } from "./keeping.ts";
import { TierLedger } from "./tier-ledger.ts";

/** The verbs of a ledger by which entries are kept and let go; all others are those of `OrgLedger`. */
export abstract class KeepingLedger extends TierLedger {
  /** Waits until the entries below `size` are in segments and in D1. */
  settleBelow(org: string, size: number): Promise<Result<null>> {
    return this.door.pass(org, ({ removals }) => removals.settle(size));
  }

  /** Seals why sections go; answers where. Their list is in R2 by then. */
  sealCause(org: string, cause: NewCause): Promise<Result<{ by: number; by_log: number }>> {
    return this.door.pass(org, ({ removals }) => removals.seal(cause));
  }

  /** Takes a segment that was written anew for what the entries are from here on. */
  releaseSections(org: string, rewritten: Rewritten): Promise<Result<null>> {
    return this.door.pass(org, ({ removals }) => removals.release(rewritten));
  }

  /** What was released last has gone from R2, where it lay alone; `over`: all that a removal takes has gone. */
  settleRemoval(org: string, removal: UnderWay, as: { over: boolean }): Promise<Result<null>> {
    return this.door.pass(org, ({ removals }) => {
      removals.gone(removal, as);
      return ok(null);
    });
  }

  /** Lets messages and findings go that no hold of this version keeps: new holds wait until they have gone, or for a minute. */
  freeElsewhere(org: string, holds_version: number): Promise<Result<null>> {
    return this.door.pass(org, ({ removals }) => removals.freeElsewhere(holds_version));
  }

  /** What was let go of last beside the log has gone. */
  settleElsewhere(org: string): Promise<Result<null>> {
    return this.door.pass(org, ({ removals }) => {
      removals.goneElsewhere();
      return ok(null);
    });
  }

  /** Removals that are not over: what a store still holds, or lacks already, of what they name is late. */
  removalsUnderWay(org: string): Promise<Result<UnderWay[]>> {
    return this.door.pass(org, ({ removals }) => ok(removals.underWay), WHILE_HELD);
  }

  /** Closes reads that are open and quote somebody, or are theirs; answers how many. */
  closeReadsOf(org: string, forgetting: Forgetting): Promise<Result<number>> {
    return this.door.pass(org, async ({ removals }) => ok(await removals.closeReads(forgetting)));
  }

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

  /** Whether a caller may have a run of retention; answers the day before which entries had to be kept until. */
  permitRun(org: string, caller: Caller, day: string | null): Promise<Result<string>> {
    return this.door.pass(org, ({ keeping }) => keeping.permitRun(caller, day));
  }

  /** Segments of the newest log that hold what is due to go, or that nobody has looked into. */
  dueSegments(org: string, question: DueQuestion): Promise<Result<NamedSegment[]>> {
    return this.door.pass(org, ({ keeping }) => ok(keeping.dueSegments(question)));
  }

  rememberDays(org: string, segments: readonly { name: string; keep_until: string }[]): Promise<Result<null>> {
    return this.door.pass(org, ({ keeping }) => {
      keeping.rememberDays(segments);
      return ok(null);
    });
  }
}
