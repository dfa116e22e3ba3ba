import { ok, refuse, type Result } from "../errors.ts";
import { ORG_MAX_KEYS, READS_PER_KEY_PER_SECOND } from "../limits.ts";

/** Reads a key may make: a bucket of one second's worth, filled steadily. In memory; a restart fills it. */
export class ReadLimiter {
  readonly #buckets = new Map<string, { left: number; at: number }>();

  take(key: string, now: number): Result<null> {
    const bucket = this.#buckets.get(key) ?? { left: READS_PER_KEY_PER_SECOND, at: now };
    const filled = ((now - bucket.at) / 1000) * READS_PER_KEY_PER_SECOND;
    bucket.left = Math.min(READS_PER_KEY_PER_SECOND, bucket.left + Math.max(0, filled));
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > ORG_MAX_KEYS) this.#buckets.delete(this.#buckets.keys().next().value as string);
    if (bucket.left < 1) {
      return refuse("rate_limited", `A key may read ${READS_PER_KEY_PER_SECOND} times a second.`, { retry_after_s: 1 });
    }
    bucket.left -= 1;
    return ok(null);
  }
}
