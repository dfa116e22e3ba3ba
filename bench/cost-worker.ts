/** The service itself, with meters at its stores: what it does is unchanged, and what a bill would count is counted. */
import worker, { OrgLedger as PlainLedger } from "../src/worker.ts";
import { configOf } from "../src/env.ts";
import { sweepCells } from "../src/keep/sweep-cells.ts";
import type { Caller } from "../src/schema/caller.ts";
import type { Append, Batch } from "../src/schema/ledger.ts";
import { METERS_PATH, noMeters, SWEEP_PATH } from "./cost/meters.ts";

export { AuditLog, OrgJobs } from "../src/worker.ts";

const meters = noMeters();
const metered = new WeakSet<object>();
const ledgerBytes = new Map<string, number>();
/** A queue operation is counted for every 64 KB begun; each message is written, read and deleted. */
const QUEUE_UNIT_BYTES = 64_000;
const QUEUE_OPERATIONS = 3;
const QUEUE_ENVELOPE_BYTES = 100;

export class OrgLedger extends PlainLedger {
  constructor(ctx: DurableObjectState, env: Env) {
    meterBindings(env);
    // An alarm that is set is a row written.
    after(ctx.storage, "setAlarm", () => meters.ledgerRows++);
    after(ctx.storage.sql, "exec", (cursor: { rowsWritten: number }) => {
      meters.ledgerRows += cursor.rowsWritten;
    });
    super(ctx, env);
  }

  override append(org: string, caller: Caller, batches: Batch[]) {
    meters.ledgerCalls++;
    ledgerBytes.set(org, this.ctx.storage.sql.databaseSize);
    meters.ledgerBytes = [...ledgerBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
    return super.append(org, caller, batches);
  }

  /** One call, whatever number of appends share it. */
  override appendAll(org: string, appends: Append[]) {
    meters.ledgerCalls += 1 - appends.length;
    return super.appendAll(org, appends);
  }

  override alarm(): Promise<void> {
    meters.alarms++;
    return super.alarm();
  }
}

export default {
  async fetch(request, env, ctx) {
    meterBindings(env);
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === METERS_PATH) return Response.json(meters);
    if (pathname === SWEEP_PATH) return Response.json(await sweepCells(configOf(env), Number(searchParams.get("now"))));
    return worker.fetch(request, env, ctx);
  },
  async queue(batch, env) {
    meterBindings(env);
    meters.consumerRuns++;
    await worker.queue(batch, env);
  },
  scheduled: (controller, env) => worker.scheduled(controller, env),
} satisfies ExportedHandler<Env>;

function meterBindings(env: Env): void {
  const rowsOf = (results: D1Result[]) => results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
  for (const cell of [env.CELL_0, env.CELL_1]) {
    after(cell, "batch", (results: D1Result[]) => {
      meters.cellRows += rowsOf(results);
    });
  }
  // Source: R2 pricing. A put that finds its name taken is one as well.
  for (const method of ["put", "list"]) after(env.ARCHIVE, method, (_, [asked]) => noteOperation("classA", asked));
  for (const method of ["get", "head"]) after(env.ARCHIVE, method, (_, [asked]) => noteOperation("classB", asked));
  after(env.INGEST_QUEUE, "sendBatch", (_, [messages]) => {
    for (const { body } of messages as Iterable<{ body: string }>) {
      const units = Math.ceil((Buffer.byteLength(body) + QUEUE_ENVELOPE_BYTES) / QUEUE_UNIT_BYTES);
      meters.queueOperations += units * QUEUE_OPERATIONS;
    }
  });
}

/** `asked` is a key, or what a list is asked for. */
function noteOperation(kind: "classA" | "classB", asked: unknown): void {
  const listed = typeof asked !== "string";
  const key = listed ? ((asked as R2ListOptions).prefix ?? "") : asked;
  meters[kind]++;
  if (!key.startsWith("tree/")) return;
  meters[kind === "classA" ? "treeClassA" : "treeClassB"]++;
  if (kind === "classA" && !listed && key.includes("/checkpoint/")) meters.checkpoints++;
}

/** Lets `note` see what a method answered, before its caller does; once for each object. */
function after<T>(target: object, method: string, note: (answer: T, args: unknown[]) => void): void {
  const methods = target as Record<string, (...args: unknown[]) => unknown>;
  const key = methods[method] as (...args: unknown[]) => unknown;
  if (metered.has(key)) return;
  const counted = (...args: unknown[]) => {
    const answer = key.apply(target, args);
    if (!(answer instanceof Promise)) {
      note(answer as T, args);
      return answer;
    }
    return answer.then((settled) => {
      note(settled as T, args);
      return settled;
    });
  };
  metered.add(counted);
  methods[method] = counted;
}
