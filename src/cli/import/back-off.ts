import { IMPORT_BACK_OFF_MAX_MS, IMPORT_BACK_OFF_MIN_MS } from "../limits.ts";

/**
 * One pause for all requests in flight: when the service asks one of them to wait, all do. `reason` is why we wait, or
 * null; `stuckMs()` is how long every try has failed.
 */
export class BackOff {
  #until = 0;
  #tries = 0;
  #failingSince: number | null = null;
  #reason: string | null = null;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get reason(): string | null {
    return this.#reason;
  }

  stuckMs(): number {
    return this.#failingSince === null ? 0 : performance.now() - this.#failingSince;
  }

  /** Milliseconds until the next try. */
  leftMs(): number {
    return Math.max(0, this.#until - performance.now());
  }

  succeeded(): void {
    this.#failingSince = null;
    this.#tries = 0;
    this.#until = 0;
    this.#reason = null;
  }

  /** Notes a try that failed; the next comes after what the service asked for, else twice as late as the one before. */
  failed(reason: string, retryAfterMs: number | null): void {
    this.#reason = reason;
    this.#failingSince ??= performance.now();
    // Requests in flight fail together: they are one try.
    if (this.leftMs() > 0) return;
    const doubled = Math.min(IMPORT_BACK_OFF_MAX_MS, IMPORT_BACK_OFF_MIN_MS * 2 ** this.#tries++);
    const wait = retryAfterMs ?? doubled * (0.8 + Math.random() * 0.4);
    this.#until = performance.now() + wait;
  }

  /** Resolves when the pause is over, or at once when the import is stopped. */
  async pass(): Promise<void> {
    while (this.leftMs() > 0 && !this.#signal.aborted) await sleep(Math.min(this.leftMs(), 250));
  }
}

/** `Retry-After` in milliseconds, as seconds or as a date; null when there is none. Source: RFC 9110 section 10.2.3. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
