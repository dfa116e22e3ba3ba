import { ok, refuse, type Result } from "../errors.ts";
import { VERIFY_LEASE_MS } from "../limits.ts";

/** Lets one verification run at a time: a run renews its lease as it goes on, and one that died lets go by itself. */
export class Lease {
  #holder: string | null = null;
  #until = 0;

  /** Takes or renews; refused while somebody else holds it. */
  take(holder: string, now: number): Result<null> {
    if (this.#holder !== holder && now < this.#until) {
      const retry_after_s = Math.ceil((this.#until - now) / 1000);
      return refuse("rate_limited", "A verification of this org is running; one runs at a time.", { retry_after_s });
    }
    this.#holder = holder;
    this.#until = now + VERIFY_LEASE_MS;
    return ok(null);
  }

  release(holder: string): Result<null> {
    if (this.#holder === holder) this.#until = 0;
    return ok(null);
  }
}
