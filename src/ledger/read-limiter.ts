import { ok, refuse, type Result } from "../errors.ts";
import { READERS_KEPT_MAX_COUNT } from "../limits.ts";

/** Reads that each reader may make: a bucket of one second's worth, filled steadily. In memory; a restart fills it. */
export class ReadLimiter {
  readonly #perSecond: number;
  readonly #detail: string;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  /** `detail` is what a reader is told who has had its share. */
  constructor(perSecond: number, detail: string) {
    this.#perSecond = perSecond;
    this.#detail = detail;
  }

  take(reader: string, now: number): Result<null> {
    const bucket = this.#buckets.get(reader) ?? { left: this.#perSecond, at: now };
    const filled = ((now - bucket.at) / 1000) * this.#perSecond;
    bucket.left = Math.min(this.#perSecond, bucket.left + Math.max(0, filled));
    bucket.at = now;
    this.#buckets.delete(reader);
    this.#buckets.set(reader, bucket);
    if (this.#buckets.size > READERS_KEPT_MAX_COUNT) this.#buckets.delete(this.#buckets.keys().next().value as string);
    if (bucket.left < 1) return refuse("rate_limited", this.#detail, { retry_after_s: 1 });
    bucket.left -= 1;
    return ok(null);
  }
}
