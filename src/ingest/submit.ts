import type { Config } from "../env.ts";
import { refuse, type Result } from "../errors.ts";
import { newBatchId } from "../ids.ts";
import { callLedger } from "../ledger/client.ts";
import { log } from "../log.ts";
import { countAppendSeconds, countFailed } from "../meter.ts";
import { type Caller, formerReader } from "../schema/caller.ts";
import type { Append, Appended, Batch, CutEvent, Delivery } from "../schema/ledger.ts";
import { appendAlone, appendShared, canShare, type Lifetime } from "./append-shared.ts";
import type { Message } from "./parse-message.ts";

/** Events on their way to a ledger, with what the door they came through knows of them. */
export type Submission = {
  org: string;
  caller: Caller;
  events: CutEvent[];
  /** The client's `Idempotency-Key`, if it sent one. */
  idempotencyKey: string | null;
  delivery: Delivery;
  received_at: number;
};

/** Appends events as one batch: durable, sequenced, and whole when it returns a value; nothing when it refuses. */
export async function submit(config: Config, submission: Submission, lifetime: Lifetime): Promise<Result<Appended>> {
  const { org, caller, events, delivery } = submission;
  const batch: Batch = {
    // A batch id of ours makes asking a reset ledger again harmless; it has to be made before the first attempt.
    batch: submission.idempotencyKey ?? newBatchId(),
    received_at: new Date(submission.received_at).toISOString(),
    delivery,
    position: 0,
    part_of: null,
    fresh: submission.idempotencyKey === null,
    events,
  };
  const began = Date.now();
  // What a ledger throws goes on to the door, which tells the cause under the request's id.
  const append = { caller, batches: [batch] };
  const call = canShare() ? appendShared(config, org, append, lifetime) : appendAlone(config, org, append);
  const answer = await call.catch((error: unknown) => {
    countFailed("internal", events.length);
    throw error;
  });
  const [result] = answer.ok ? answer.value : [answer];
  if (result?.ok === true) countAppendSeconds((Date.now() - began) / 1000);
  else countFailed(result?.refusal.code ?? "internal", events.length);
  return result ?? { ok: false, refusal: { code: "internal", detail: "The ledger did not answer for the batch." } };
}

/** Hands batches of one org and one caller to its ledger; answers one result a batch, in order. Never throws. */
export async function appendBatches(config: Config, { org, ...append }: Append & { org: string }) {
  return answered(org, () => appendAlone(config, org, append));
}

/** Seals the trace of an answer that left before; answers the opening entry's index. Never throws. */
export async function sealTrace(config: Config, { org, read }: Extract<Message, { kind: "read" }>) {
  const reader = formerReader(org, read.key, read.viewer);
  const answer = { ...read.answer, batch: read.batch };
  const left = { whileClosed: true };
  return answered(org, () =>
    callLedger(config, org, async (ledger) => await ledger.traceRead(org, reader, answer, left)),
  );
}

/** A ledger that threw is a fault of ours or of the platform: `internal`, and as transient as any. */
async function answered<T>(org: string, call: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await call();
  } catch (error) {
    log("error", { message: "a ledger failed", org, error: String(error) });
    return refuse("internal", "The ledger failed.");
  }
}
