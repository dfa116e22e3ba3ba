import { DurableObject } from "cloudflare:workers";
import { type Config, configOf } from "../env.ts";
import { NOT_FOUND, ok, refuse, type Result } from "../errors.ts";
import { JOBS_PAGE_ENTRIES, JOBS_UNFINISHED_MAX_COUNT } from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import type { Job, JobKind, NewJob } from "../schema/job.ts";
import { flushCounts } from "../store/flush-counts.ts";
import { removeUnfinished, saveUnfinished, setUnfinished } from "../store/unfinished-job.ts";
import {
  createTable,
  findJob,
  hasTable,
  insertJob,
  type JobOrder,
  type JobRow,
  listJobs,
  nextDueAt,
  openJobs,
  unfinishedCount,
  updateJob,
} from "./rows.ts";
import { Runner } from "./runner.ts";

/**
 * The long work of one org: exports, retention, erasure, cooling. An object of its own, so that nothing of it takes time or
 * memory of the ledger. Its alarm takes one bounded step and sets itself again; two steps of an org never run at once.
 */
export class OrgJobs extends DurableObject<Env> {
  readonly #config: Config;
  readonly #runner: Runner;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#config = configOf(env);
    this.#runner = new Runner(this.#config, { org: ctx.id.name ?? "", sql: ctx.storage.sql });
    // An alarm can be lost between firing and being set again; a start with work to do sets one.
    if (hasTable(ctx.storage.sql)) ctx.waitUntil(this.#arm());
  }

  /** Begins a job, once: created again with the same request it is answered as it stands. */
  async create(org: string, { id, kind, request, by }: NewJob): Promise<Result<Job>> {
    if (this.#foreign(org)) return NOT_FOUND;
    const { sql } = this.ctx.storage;
    const text = JSON.stringify(request);
    const known = hasTable(sql) ? findJob(sql, id) : null;
    if (known !== null) return known.kind === kind && known.request === text ? ok(jobOf(known)) : TAKEN;
    if (hasTable(sql) && unfinishedCount(sql, kind) >= JOBS_UNFINISHED_MAX_COUNT) return MANY;
    const now = Date.now();
    // First where the watchdog looks: a crash after this leaves a row that the next knock removes.
    try {
      await saveUnfinished(this.#config.directory, { org, id, kind, at: now });
    } catch (error) {
      log("warn", { message: "a job could not be entered", org, error: String(error) });
      return refuse("overloaded", "The directory does not answer right now.", { retry_after_s: 5 });
    }
    this.ctx.storage.transactionSync(() => {
      createTable(sql);
      if (findJob(sql, id) === null) insertJob(sql, { id, kind, request: text, caller: by, now });
    });
    await this.#arm();
    return this.#answer(id);
  }

  /** A job of a kind, by its id. */
  get(org: string, kind: JobKind, id: string): Result<Job> {
    if (this.#foreign(org) || !hasTable(this.ctx.storage.sql)) return NOT_FOUND;
    const job = findJob(this.ctx.storage.sql, id);
    return job?.kind === kind ? ok(jobOf(job)) : NOT_FOUND;
  }

  /** Jobs of a kind, the newest first, or those that ended last after those that have not; `after` is the id of the last one seen. */
  list(org: string, kind: JobKind, after: string | null, by: JobOrder = "created"): Result<Job[]> {
    if (this.#foreign(org)) return NOT_FOUND;
    const { sql } = this.ctx.storage;
    if (after !== null && !this.get(org, kind, after).ok) return NO_CURSOR;
    return ok(hasTable(sql) ? listJobs(sql, kind, { after, by, limit: JOBS_PAGE_ENTRIES }).map(jobOf) : []);
  }

  /** Ends a job that is not over; one that is stays as it is. What it had done is cleared up by the steps that come. */
  async cancel(org: string, kind: JobKind, { id, by }: { id: string; by: string }): Promise<Result<Job>> {
    const found = this.get(org, kind, id);
    if (!found.ok) return found;
    const now = Date.now();
    const ended = { state: "cancelled", ended_by: by, ended_at: now } as const;
    const change = { ...ended, due_at: now, attempts: 0, error: null };
    updateJob(this.ctx.storage.sql, { id, among: ["queued", "running"] }, change);
    await this.#arm();
    return this.get(org, kind, id);
  }

  /** Lets a job that is not over begin anew, for what it has read is not so any more. */
  async restart(org: string, kind: JobKind, id: string): Promise<Result<Job>> {
    const found = this.get(org, kind, id);
    if (!found.ok) return found;
    const change = { progress: null, state: "queued", due_at: Date.now(), attempts: 0 } as const;
    updateJob(this.ctx.storage.sql, { id, among: ["queued", "running"] }, change);
    await this.#arm();
    return this.get(org, kind, id);
  }

  /** Puts less in place of what a job that has ended was asked for, or came to. */
  rewrite(org: string, kind: JobKind, { id, request, result }: Rewritten): Result<Job> {
    const found = this.get(org, kind, id);
    if (!found.ok) return found;
    const ended = ["done", "failed", "cancelled"] as const;
    updateJob(this.ctx.storage.sql, { id, among: ended }, { request, ...(result === null ? {} : { result }) });
    return this.get(org, kind, id);
  }

  /** The watchdog's knock: what is due is done though its alarm was lost, and what is over is not knocked for again. */
  async wake(org: string): Promise<Result<number>> {
    if (this.#foreign(org)) return NOT_FOUND;
    const { sql } = this.ctx.storage;
    const open = hasTable(sql) ? openJobs(sql) : [];
    await this.#arm();
    const rows = open.map((job) => ({ id: job.id, kind: job.kind, at: knockAt(job) }));
    await setUnfinished(this.#config.directory, org, rows);
    return ok(open.length);
  }

  override async alarm(): Promise<void> {
    const over = hasTable(this.ctx.storage.sql) ? await this.#runner.step() : null;
    await this.#arm();
    if (over !== null) await this.#forget(over);
    await flushCounts(this.#config.directory);
  }

  /**
   * Of a job that is over the watchdog is told no more, or, where its result lapses, to knock then and not before: should the alarm be lost
   * until that day, the knock sets it. What could not be told is told by the next knock.
   */
  async #forget(id: string): Promise<void> {
    const org = this.ctx.id.name ?? "";
    const { directory } = this.#config;
    const open = openJobs(this.ctx.storage.sql).find((job) => job.id === id);
    try {
      if (open === undefined) await removeUnfinished(directory, { org, id });
      else await saveUnfinished(directory, { org, id, kind: open.kind, at: knockAt(open) });
    } catch (error) {
      log("warn", { message: "a job that is over is still listed", org, job: id, error: String(error) });
    }
  }

  async #arm(): Promise<void> {
    const { storage } = this.ctx;
    const due = hasTable(storage.sql) ? nextDueAt(storage.sql) : null;
    if (due === null) return;
    const set = await storage.getAlarm();
    if (set === null || set > due) await storage.setAlarm(due);
  }

  #answer(id: string): Result<Job> {
    const job = findJob(this.ctx.storage.sql, id);
    return job === null ? NOT_FOUND : ok(jobOf(job));
  }

  /** A call that reached the object of another org. */
  #foreign(org: string): boolean {
    if (this.ctx.id.name === org) return false;
    count("audit_cross_org_refusals_total", { at: "jobs" });
    return true;
  }
}

/** JSON texts; a `result` of null stays as it is. */
type Rewritten = { id: string; request: string; result: string | null };

/** When the watchdog knocks for a job again: for one whose result is there still, not before that lapses. */
function knockAt({ state, due_at }: ReturnType<typeof openJobs>[number]): number {
  return state === "done" ? Math.max(due_at, Date.now()) : Date.now();
}

const NO_CURSOR = refuse("invalid_request", "The cursor is not one of this list. Begin again without it.", {
  errors: [{ pointer: "/cursor", message: "is not a cursor of this list: begin again without it" }],
});
const TAKEN = refuse("conflict", "Something else was asked for under this name before.");
const MANY = refuse(
  "rate_limited",
  `An org has at most ${JOBS_UNFINISHED_MAX_COUNT} unfinished jobs of a kind: wait for one, or cancel one.`,
  { retry_after_s: 60 },
);

function jobOf({ caller: _, due_at: __, ...job }: JobRow): Job {
  return job;
}
