import { ok, type RateLimit, refuse, type Result } from "../errors.ts";
import { READERS_KEPT_MAX_COUNT } from "../limits.ts";

/** Reads that each reader may make: a bucket of one second's worth, filled steadily. In memory; a restart fills it. */
export class ReadLimiter {
  readonly #policy: string;
  readonly #perSecond: number;
  readonly #detail: string;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  /** `policy` names the limit in headers; `detail` is what a reader is told who has had its share. */
  constructor(policy: string, perSecond: number, detail: string) {
    this.#policy = policy;
    this.#perSecond = perSecond;
    this.#detail = detail;
  }

  /** Takes as many as a read weighs, and says how many are left. */
  take(reader: string, now: number, weight = 1): Result<RateLimit> {
    const bucket = this.#buckets.get(reader) ?? { left: this.#perSecond, at: now };
    const filled = ((now - bucket.at) / 1000) * this.#perSecond;
    bucket.left = Math.min(this.#perSecond, bucket.left + Math.max(0, filled));
    bucket.at = now;
    this.#buckets.delete(reader);
    this.#buckets.set(reader, bucket);
    if (this.#buckets.size > READERS_KEPT_MAX_COUNT) this.#buckets.delete(this.#buckets.keys().next().value as string);
    if (bucket.left < weight) {
      const detail = weight === 1 ? this.#detail : `${this.#detail} This read counts as ${weight}.`;
      return refuse("rate_limited", detail, { retry_after_s: 1, limits: [this.#limitOf(bucket)] });
    }
    bucket.left -= weight;
    return ok(this.#limitOf(bucket));
  }

  #limitOf({ left }: { left: number }): RateLimit {
    const reset_s = Math.ceil((this.#perSecond - left) / this.#perSecond);
    return { policy: this.#policy, quota: this.#perSecond, left: Math.floor(left), reset_s };
  }
}
