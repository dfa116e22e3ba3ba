import { ok, refuse, type Result } from "../errors.ts";
import { LEASE_CLAIM_MS, VERIFY_LEASE_MS } from "../limits.ts";
import type { LeaseAct } from "../schema/ledger.ts";

/**
 * Lets one verification, repair or removal run at a time: a run renews its lease as it goes on, and one that died lets go by itself. While a removal
 * waits nobody else takes it, nor takes it anew, so that who verifies again and again, or reads a report slowly, holds no removal up.
 */
export class Lease {
  readonly #now: () => number;
  #holder: string | null = null;
  #until = 0;
  #claimedUntil = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  ask(holder: string, act: LeaseAct): Result<null> {
    switch (act) {
      case "take":
        return this.#now() < this.#claimedUntil ? this.#refuse(CLAIMED) : this.#take(holder);
      case "claim":
        return this.#claim(holder);
      case "renew":
        return this.renew(holder);
      case "release":
        if (this.#holder === holder) this.#until = 0;
        return ok(null);
    }
  }

  /** Takes it, or is the next one that does: for as long as it asks again before LEASE_CLAIM_MS have passed. */
  #claim(holder: string): Result<null> {
    const taken = this.#take(holder);
    this.#claimedUntil = taken.ok ? 0 : this.#now() + LEASE_CLAIM_MS;
    return taken;
  }

  /** Refused while somebody else holds it. */
  #take(holder: string): Result<null> {
    if (this.#holder !== holder && this.#now() < this.#until) {
      return this.#refuse("A verification of this org is running; one runs at a time.");
    }
    return this.#hold(holder);
  }

  /**
   * Goes on, also after the lease has run out, if nobody had it since: refused once somebody had, though it be free again, for what the holder
   * read before may not be so any more.
   */
  renew(holder: string): Result<null> {
    if (this.#holder === holder) return this.#hold(holder);
    return this.#refuse("Another run of this org took its turn meanwhile: begin again.");
  }

  #hold(holder: string): Result<null> {
    this.#holder = holder;
    this.#until = this.#now() + VERIFY_LEASE_MS;
    return ok(null);
  }

  #refuse(detail: string): Result<null> {
    const free = Math.max(this.#until, this.#claimedUntil);
    const retry_after_s = Math.max(1, Math.ceil((free - this.#now()) / 1000));
    return refuse("rate_limited", detail, { retry_after_s });
  }
}

const CLAIMED = "Entries of this org are about to go; a verification begins after that.";
