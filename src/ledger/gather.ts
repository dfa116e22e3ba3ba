import { GATHER_MAX_BYTES, GATHER_MAX_CALLERS, GATHER_MAX_EVENTS, GATHER_MS } from "../limits.ts";
import type { Draft } from "./draft.ts";

/**
 * Something that wants to be part of the next transaction. `plan` decides everything in memory and returns what is to
 * be told once the transaction is through; if it throws, only its own caller fails.
 */
export type Work<T> = { events: number; bytes: number; plan: (draft: Draft) => T };

type Waiting = {
  work: Work<unknown>;
  resolve: (answer: unknown) => void;
  reject: (error: unknown) => void;
};

/**
 * Group commit: work that arrives within about 2 ms shares one transaction, because one-event appends are bound by the
 * disk commit. `commit` runs synchronously, with no await between reading the head and writing the new one.
 */
export class Gather {
  readonly #begin: () => Draft;
  readonly #commit: (draft: Draft) => void;
  #waiting: Waiting[] = [];
  #events = 0;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor({ begin, commit }: { begin: () => Draft; commit: (draft: Draft) => void }) {
    this.#begin = begin;
    this.#commit = commit;
  }

  /** Joins the next transaction; resolves with what `plan` returned once it is committed. */
  join<T>(work: Work<T>): Promise<T> {
    if (this.#events + work.events > GATHER_MAX_EVENTS || this.#bytes + work.bytes > GATHER_MAX_BYTES) this.flush();
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (answer: unknown) => void, reject });
      this.#events += work.events;
      this.#bytes += work.bytes;
      if (this.#waiting.length >= GATHER_MAX_CALLERS || this.#events >= GATHER_MAX_EVENTS) this.flush();
      else this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
    });
  }

  /** Commits what waits, now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#events = 0;
    this.#bytes = 0;
    if (waiting.length > 0) this.#run(waiting);
  }

  #run(waiting: Waiting[]): void {
    const draft = this.#begin();
    const answers: unknown[] = [];
    for (const one of waiting) {
      try {
        answers.push(one.work.plan(draft));
      } catch (error) {
        // A plan that threw may have left the draft half done: its caller fails, the others start again without it.
        one.reject(error);
        const rest = waiting.filter((other) => other !== one);
        if (rest.length > 0) this.#run(rest);
        return;
      }
    }
    try {
      this.#commit(draft);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
      return;
    }
    waiting.forEach(({ resolve }, n) => {
      resolve(answers[n]);
    });
  }
}
