import type { Config } from "../env.ts";
import type { Refusal } from "../errors.ts";
import type { Caller } from "../schema/caller.ts";

/** Whose job a step is of; `by` is who asked for it. */
export type JobContext = { config: Config; org: string; id: string; by: Caller };

/**
 * Where a job is after a step; `result` not null: at its end. `wait_ms`: how long the next step has to wait; `waiting`: for what, shown
 * as the job's error until a step does not wait.
 */
export type Stepped<P, T> = { progress: P; result: T | null; wait_ms?: number; waiting?: string };

/**
 * One bounded step of a job, of about two seconds and 32 MB: from where it is (null: the beginning) to where it is then.
 * It is made again whenever nobody knows whether it was made, so what it does twice must be as if done once. What it throws
 * is tried again for ever, as is a refusal that time may mend; any other refusal ends the job as failed.
 */
type Step<R, P, T> = (context: JobContext, request: R, progress: P | null) => Promise<Stepped<P, T> | Refused>;

/** A step that cannot be made. */
export type Refused = { ok: false; refusal: Refusal };

/** How a job that was not done ended: `by` whose word, or because of what; and where it was then, null of one that had not begun. */
export type Unfinished<P> = {
  state: "failed" | "cancelled";
  by: string | null;
  error: string | null;
  progress: P | null;
};

/** What a kind of job does. Requests, progress and results are values that JSON holds as they are. */
export type Kind<R, P, T> = {
  step: Step<R, P, T>;
  /**
   * Clears up after a job that failed or was cancelled and says so in the log, in bounded steps as well: one is made again until it returns, and
   * they go on until one answers with a result, or with nothing.
   */
  settle?: (context: JobContext, request: R, ended: Unfinished<P>) => Promise<Stepped<P, T> | void>;
  /**
   * Where a result does not stay: when it lapses (ms), what is left of it then, and what clears up after it. What is left is said first, of the
   * result as it stands by then; clearing up is made again until it returns.
   */
  lapse?: {
    at: (result: T, ended_at: number) => number;
    left: (result: T, now: number) => T;
    clear: (context: JobContext) => Promise<void>;
  };
  /** What stays of a request in the row of a job that ended: all of it, unless this says less. */
  kept?: (request: R) => unknown;
};
