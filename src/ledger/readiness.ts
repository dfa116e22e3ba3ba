import type { Refusal, Result } from "../errors.ts";
import { RESTORE_WAIT_MS } from "../limits.ts";
import type { Core } from "./core.ts";
import { compareOnStart } from "./recover.ts";
import { rollingForward } from "./roll-forward.ts";

/** Whether a ledger may seal: it was compared with D1 and R2 since it started, and rolled forward where it was behind. */
export class Readiness {
  readonly #core: Core;
  readonly #compared: () => void;
  #comparison: Promise<Result<null>> | null = null;
  #running = false;
  /** Why appends are refused since the comparison; null when they are not. */
  refusal: Refusal | null = null;

  /** `compared` is told after each comparison: what was rolled forward may have changed any table. */
  constructor(core: Core, compared: () => void) {
    this.#core = core;
    this.#compared = compared;
  }

  /** The start-up comparison, made once; a refusal is not kept, so the next call asks again. */
  async compare(): Promise<Result<null>> {
    this.#comparison ??= this.#run();
    const compared = await this.#comparison;
    if (!compared.ok) this.#comparison = null;
    return compared;
  }

  /** The same for a call, which waits for a long way forward only so long. */
  async wait(): Promise<Result<null>> {
    const late = Promise.withResolvers<Result<null>>();
    const timer = setTimeout(() => late.resolve(rollingForward(this.#core.state)), RESTORE_WAIT_MS);
    try {
      return await Promise.race([this.compare(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A store that did not answer at the start has told since that the ledger was rewound: the next call compares again. */
  doubt(): void {
    if (!this.#running) this.#comparison = null;
  }

  async #run(): Promise<Result<null>> {
    this.#running = true;
    try {
      const verdict = await compareOnStart(this.#core);
      this.refusal = verdict.ok ? null : verdict.refusal;
      return verdict;
    } catch (error) {
      // Kept, it would be everybody's answer from here on.
      this.#comparison = null;
      throw error;
    } finally {
      this.#running = false;
      this.#compared();
    }
  }
}
