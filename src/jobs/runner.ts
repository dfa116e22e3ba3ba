import type { Config } from "../env.ts";
import type { ErrorCode, Refusal } from "../errors.ts";
import { JOB_RETRY_MAX_MS, JOB_RETRY_MIN_MS, JOB_STEP_MAX_MS, JOB_TEXT_MAX_BYTES } from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import type { Caller } from "../schema/caller.ts";
import { within } from "../within.ts";
import type { JobContext } from "./kind.ts";
import { type AnyKind, KINDS } from "./kinds.ts";
import { type JobRow, nextJob, updateJob } from "./rows.ts";

/** Refusals that time may mend. */
const PASSING: ReadonlySet<ErrorCode> = new Set(["overloaded", "rate_limited", "reads_disabled", "internal"]);
const OPEN = ["queued", "running"] as const;
const UNDONE = ["failed", "cancelled"] as const;
const TRIED_AGAIN = "A store or the ledger did not answer as it should; this step is tried again.";

/**
 * Takes steps of an org's jobs, one at a time. Before a step its row says when it is made again if nobody hears of it any
 * more; after it, where the job is. A crash in between repeats the step.
 */
export class Runner {
  readonly #config: Config;
  readonly #org: string;
  readonly #sql: SqlStorage;
  #running: Promise<string | null> | null = null;

  constructor(config: Config, { org, sql }: { org: string; sql: SqlStorage }) {
    this.#config = config;
    this.#org = org;
    this.#sql = sql;
  }

  /** Takes one step of the job that is due for the longest time; answers its id when that job is over with it. Never throws. */
  step(): Promise<string | null> {
    this.#running ??= this.#stepOne().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #stepOne(): Promise<string | null> {
    const job = nextJob(this.#sql, Date.now());
    if (job === null) return null;
    const began = Date.now();
    const { id, attempts, state } = job;
    const next = { updated_at: began, due_at: began + retryMs(attempts), attempts: attempts + 1 };
    const ended = state !== "queued" && state !== "running";
    updateJob(this.#sql, { id, among: [state] }, ended ? next : { ...next, state: "running" });
    try {
      const kind = KINDS[job.kind];
      if (kind === undefined) throw new Error(`a job of kind ${job.kind} is not known here`);
      const over = await within(JOB_STEP_MAX_MS, this.#stepOf(kind, job, began));
      return over ? id : null;
    } catch (error) {
      count("audit_job_steps_total", { kind: job.kind, outcome: "failed" });
      log("warn", { message: "a step of a job failed", org: this.#org, job: id, error: String(error) });
      if (!ended) updateJob(this.#sql, { id, among: OPEN }, { error: TRIED_AGAIN });
      return null;
    }
  }

  #stepOf(kind: AnyKind, { state, ...job }: JobRow, began: number): Promise<boolean> {
    if (state === "done") return this.#lapse(kind, { ...job, state }, began);
    if (state === "failed" || state === "cancelled") return this.#settle(kind, { ...job, state }, began);
    return this.#advance(kind, { ...job, state }, began);
  }

  /** Answers whether the job is over. */
  async #advance(kind: AnyKind, job: JobRow, began: number): Promise<boolean> {
    const { id } = job;
    const request: unknown = JSON.parse(job.request);
    const taken = await kind.step(this.#contextOf(job), request, progressOf(job));
    const now = Date.now();
    // A step that was given up and ends after all says nothing about a job that has gone on without it.
    const own = { id, among: ["running"], since: began } as const;
    // A job that was cancelled meanwhile stays so: what the step did is cleared up with the rest, from where it came to.
    if (!("ok" in taken)) updateJob(this.#sql, { ...own, among: ["cancelled"] }, { progress: textOf(taken.progress) });
    const save = (change: Parameters<typeof updateJob>[2]) => updateJob(this.#sql, own, change);
    if ("ok" in taken) {
      save(refused(taken.refusal, { job, now }));
      count("audit_job_steps_total", { kind: job.kind, outcome: "refused" });
      return false;
    }
    const outcome = taken.result === null ? "moved" : "done";
    count("audit_job_steps_total", { kind: job.kind, outcome });
    if (taken.result === null) {
      const error = taken.waiting ?? null;
      save({ progress: textOf(taken.progress), due_at: now + (taken.wait_ms ?? 0), attempts: 0, error });
      return false;
    }
    const result = textOf(taken.result);
    const due_at = kind.lapse?.at(taken.result, now) ?? null;
    const over = { state: "done", progress: null, due_at, ended_at: now, attempts: 0, error: null } as const;
    return save({ ...over, ...keptOf(kind, request), result });
  }

  /** Lets go of what a job came to, whose time is over. */
  async #lapse({ lapse }: AnyKind, job: JobRow, began: number): Promise<boolean> {
    const { id } = job;
    const own = { id, among: ["done"], since: began } as const;
    if (lapse !== undefined && job.result !== null) {
      // Nothing comes between reading the result and saying what is left: what was rewritten stays so.
      updateJob(this.#sql, own, { result: textOf(lapse.left(JSON.parse(job.result) as unknown, began)) });
      // A crash here leaves files of a result that says it is gone: they are cleared up by the next try.
      await lapse.clear(this.#contextOf(job));
    }
    return updateJob(this.#sql, own, { due_at: null, attempts: 0 });
  }

  /** Answers whether what a job left is cleared up. */
  async #settle(kind: AnyKind, job: JobRow & { state: (typeof UNDONE)[number] }, began: number): Promise<boolean> {
    const { id, state, ended_by: by, error } = job;
    const request: unknown = JSON.parse(job.request);
    const taken = await kind.settle?.(this.#contextOf(job), request, { state, by, error, progress: progressOf(job) });
    const now = Date.now();
    const own = { id, among: UNDONE, since: began };
    if (taken?.result === null) {
      updateJob(this.#sql, own, { progress: textOf(taken.progress), due_at: now + (taken.wait_ms ?? 0), attempts: 0 });
      return false;
    }
    const over = { progress: null, due_at: null, attempts: 0, updated_at: now };
    const result = taken === undefined ? {} : { result: textOf(taken.result) };
    return updateJob(this.#sql, own, { ...over, ...keptOf(kind, request), ...result });
  }

  #contextOf({ id, caller }: JobRow): JobContext {
    return { config: this.#config, org: this.#org, id, by: JSON.parse(caller) as Caller };
  }
}

function progressOf({ progress }: JobRow): unknown {
  return progress === null ? null : JSON.parse(progress);
}

/** A request that was rewritten meanwhile stays so, where all of it is kept. */
function keptOf({ kept }: AnyKind, request: unknown): { request?: string } {
  return kept === undefined ? {} : { request: textOf(kept(request)) };
}

/** What a refusal makes of a job: one that waits, or one that failed and is to be settled. */
function refused({ code, detail, retry_after_s }: Refusal, { job, now }: { job: JobRow; now: number }) {
  if (!PASSING.has(code)) return { state: "failed", error: detail, ended_at: now, due_at: now, attempts: 0 } as const;
  return { error: detail, due_at: now + Math.max(retryMs(job.attempts), (retry_after_s ?? 0) * 1_000) };
}

function retryMs(attempts: number): number {
  return Math.min(JOB_RETRY_MAX_MS, JOB_RETRY_MIN_MS * 2 ** Math.min(attempts, 20));
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) <= JOB_TEXT_MAX_BYTES) return text;
  throw new Error(`a job's row takes at most ${JOB_TEXT_MAX_BYTES} bytes of each`);
}
