import { IMPORT_IN_FLIGHT, IMPORT_WINDOW_BATCHES } from "../limits.ts";
import type { Failure, Outcome } from "../outcome.ts";
import { type Batch, cutBatches, type Item } from "./batches.ts";
import type { InputFile } from "./input-file.ts";
import type { Mapping, Refused } from "./mapping.ts";
import type { RejectFiles } from "./rejects.ts";
import { type EventItem, sendBatch, type Sender, type Settled } from "./send-batch.ts";

export type Delivery = {
  files: readonly InputFile[];
  mapping: Mapping;
  sender: Sender;
  rejects: RejectFiles;
  /** What this run has done so far, in whatever order answers come: for the eye only. */
  seen: { appended: number; duplicates: number; rejected: number };
  /** Called when records of a file are settled and its rejects written; `probe` is the last event that was taken. */
  onSettled: (file: InputFile, probe: { event: string; entry_hash: string } | null) => Promise<void>;
};

type Flight = { batch: Batch; settled: Settled; finished: boolean; failure: Failure | null };

/**
 * Sends every file, a few requests at a time, and settles batches in the order of the files: what counts as done is
 * always a beginning of the input, however answers overtake each other.
 */
export async function deliver(delivery: Delivery): Promise<Outcome<null>> {
  const order: Flight[] = [];
  const active = new Set<Promise<void>>();
  for await (const batch of cutBatches(delivery.files, delivery.mapping)) {
    const flight: Flight = { batch, settled: { taken: [], refused: [] }, finished: false, failure: null };
    order.push(flight);
    const done = fly(flight, delivery).finally(() => active.delete(done));
    active.add(done);
    while (active.size >= IMPORT_IN_FLIGHT || order.length >= IMPORT_WINDOW_BATCHES) {
      if (active.size > 0) await Promise.race(active);
      await settleInOrder(order, delivery);
      if (order[0]?.failure) break;
    }
    if (order.some((one) => one.failure !== null) || delivery.sender.signal.aborted) break;
  }
  await Promise.all(active);
  await settleInOrder(order, delivery);
  const failure = order.find((flight) => flight.failure !== null)?.failure;
  return failure ? { ok: false, failure } : { ok: true, value: null };
}

async function fly(flight: Flight, delivery: Delivery): Promise<void> {
  const events = flight.batch.items.filter((item): item is EventItem => typeof item.event === "string");
  const sent = await sendBatch(delivery.sender, events, flight.settled);
  flight.finished = true;
  if (!sent.ok) flight.failure = sent.failure;
  const duplicates = flight.settled.taken.filter((taken) => taken.duplicate).length;
  delivery.seen.duplicates += duplicates;
  delivery.seen.appended += flight.settled.taken.length - duplicates;
  delivery.seen.rejected += flight.batch.items.length - events.length + flight.settled.refused.length;
}

async function settleInOrder(order: Flight[], delivery: Delivery): Promise<void> {
  for (let head = order[0]; head?.finished && head.failure === null; head = order[0]) {
    await settle(head, delivery);
    order.shift();
  }
}

async function settle({ batch, settled }: Flight, { rejects, onSettled }: Delivery): Promise<void> {
  const refusals = new Map<Item, Refused>(settled.refused.map(({ item, refusal }) => [item, refusal]));
  const taken = new Map<Item, boolean>(settled.taken.map(({ item, duplicate }) => [item, duplicate]));
  const refused: { item: Item; refusal: Refused }[] = [];
  const touched = new Set<InputFile>();
  for (const item of batch.items) {
    const { done } = item.file;
    touched.add(item.file);
    done.records = item.record.number;
    const refusal = typeof item.event === "string" ? refusals.get(item) : item.event;
    if (refusal !== undefined) {
      refused.push({ item, refusal });
      done.rejected++;
    } else if (taken.get(item)) done.duplicates++;
    else done.appended++;
  }
  // Rejects first: a crash between the two repeats no line, since the next run looks what is written.
  await rejects.write(refused);
  for (const file of touched) {
    const last = settled.taken.findLast((one) => one.item.file === file);
    await onSettled(file, last === undefined ? null : { event: last.item.event, entry_hash: last.entryHash });
  }
}
