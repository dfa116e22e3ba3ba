import type { Config } from "../env.ts";
import type { Result } from "../errors.ts";
import { newBatchId } from "../ids.ts";
import { callLedger } from "../ledger/client.ts";
import { countAppendSeconds, countFailed } from "../meter.ts";
import type { Caller } from "../schema/caller.ts";
import type { Appended, Batch, CutEvent, Delivery } from "../schema/ledger.ts";

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
export async function submit(config: Config, submission: Submission): Promise<Result<Appended>> {
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
  const answer = await appendBatches(config, { org, caller, batches: [batch] }).catch((error: unknown) => {
    countFailed("internal", events.length);
    throw error;
  });
  const [result] = answer.ok ? answer.value : [answer];
  if (result?.ok === true) countAppendSeconds((Date.now() - began) / 1000);
  else countFailed(result?.refusal.code ?? "internal", events.length);
  return result ?? { ok: false, refusal: { code: "internal", detail: "The ledger did not answer for the batch." } };
}

/** Hands batches of one org and one caller to its ledger; answers one result a batch, in order. */
export async function appendBatches(
  config: Config,
  { org, caller, batches }: { org: string; caller: Caller; batches: Batch[] },
): Promise<Result<Result<Appended>[]>> {
  return callLedger(config, org, async (ledger, attempt) => {
    const sent = attempt === 1 ? batches : batches.map((batch) => ({ ...batch, fresh: false }));
    return await ledger.append(org, caller, sent);
  });
}
