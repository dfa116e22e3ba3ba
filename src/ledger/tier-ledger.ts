import { DurableObject } from "cloudflare:workers";
import { ok, type Result } from "../errors.ts";
import type { CoolLog, EntryPlace, KnownSegment, SegmentQuestion } from "../schema/tiers.ts";
import { type Door, WHILE_HELD } from "./door.ts";

/** The verbs of a ledger about what is in R2 alone; all others are those of `OrgLedger`. */
export abstract class TierLedger extends DurableObject<Env> {
  protected abstract readonly door: Door;

  /** Segments of the newest log, as the ledger names them; of no other does it know them. */
  segmentsAt(org: string, asked: SegmentQuestion): Promise<Result<KnownSegment[]>> {
    return this.door.pass(org, ({ tiers }) => tiers.segments(asked), WHILE_HELD);
  }

  /** Where the entry of an id that its sender gave is; null where no receipt tells. */
  placeOfId(org: string, id: string): Promise<Result<EntryPlace | null>> {
    return this.door.pass(org, ({ tiers }) => ok(tiers.placeOfId(id)), WHILE_HELD);
  }

  /** Takes entries that are proven to be in R2 for cold: D1 need not hold them any more. */
  cool(org: string, asked: CoolLog): Promise<Result<{ before: number }>> {
    return this.door.pass(org, ({ tiers }) => tiers.cool(asked));
  }
}
