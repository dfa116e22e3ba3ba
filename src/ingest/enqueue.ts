import type { Config } from "../env.ts";
import { ok, type Refusal, type Result } from "../errors.ts";
import { deadLetterIdOf, eventIdsOf, newBatchId } from "../ids.ts";
import { callLedger } from "../ledger/client.ts";
import { QUEUE_SEND_MAX_BYTES, QUEUE_SEND_MAX_MESSAGES } from "../limits.ts";
import { log } from "../log.ts";
import { countFailed } from "../meter.ts";
import { type Caller, nameOf, type Scope } from "../schema/caller.ts";
import { isTransient, storeDeadLetter } from "./dead-letters.ts";
import { packMessages, type PackedMessage } from "./pack.ts";
import type { ParsedEvent } from "./parse-events.ts";
import { appendBatches } from "./submit.ts";

export type Handover = {
  org: string;
  caller: Caller;
  events: ParsedEvent[];
  idempotencyKey: string | null;
  /** Batches of this `idempotencyKey` that are sequenced already, as far as the ledger was asked. */
  sequenced: readonly string[];
  delivery: "queued" | "binding" | "import";
  received_at: number;
};

/**
 * Whether a caller may hand events over; the answer is `sequenced`. One the Worker itself vouches for may do so while the
 * ledger is away; an org key only its ledger knows.
 */
export async function permitHandover(
  config: Config,
  { org, caller, scope, idempotencyKey }: Pick<Handover, "org" | "caller" | "idempotencyKey"> & { scope: Scope },
): Promise<Result<string[]>> {
  const allowed = await callLedger(
    config,
    org,
    async (ledger) => await ledger.permitHandover(org, caller, scope, idempotencyKey),
  );
  const away = !allowed.ok && allowed.refusal.code === "overloaded" && caller.kind === "trusted";
  return away ? ok([]) : allowed;
}

/**
 * Hands events to the queue and answers their ids: when it returns a value, every one of them is durable and will be
 * sequenced. What the queue refuses is appended directly, what the ledger cannot take either is parked: all under the
 * same batch ids, so nothing is sealed twice. What is sequenced already is not sent: the ledger says whether it is the same.
 */
export async function enqueue(config: Config, handover: Handover): Promise<Result<{ id: string }[]>> {
  const { org, caller, delivery, events, sequenced } = handover;
  const batch = handover.idempotencyKey ?? newBatchId();
  const received_at = new Date(handover.received_at).toISOString();
  const messages = packMessages({ org, key: nameOf(caller), delivery, received_at, batch }, events);
  const idOf = eventIdsOf(batch);
  // Known under its own name, or under the one it has when the request comes with another `Prefer`: never sealed anew.
  const again = messages.filter(({ batch: name, part_of }) =>
    [name, part_of ?? `${name} 0`].some((known) => sequenced.includes(known)),
  );
  const same = again.length === 0 ? ok(null) : await appendNow(config, handover, again);
  if (!same.ok && !isTransient(same.refusal)) {
    countFailed(same.refusal.code, events.length);
    return same;
  }
  for (const group of sendable(same.ok ? messages.filter((message) => !again.includes(message)) : messages)) {
    const sent = await send(config, handover, group);
    if (!sent.ok) {
      countFailed(sent.refusal.code, events.length);
      return sent;
    }
  }
  return ok(events.map(({ cut }, n) => ({ id: cut.id ?? idOf(n) })));
}

async function send(config: Config, handover: Handover, group: PackedMessage[]): Promise<Result<null>> {
  try {
    await config.queue.sendBatch(group.map(({ text }) => ({ body: text, contentType: "text" as const })));
    return ok(null);
  } catch (error) {
    log("warn", { message: "the queue refused; appending directly", org: handover.org, error: String(error) });
  }
  const appended = await appendNow(config, handover, group);
  if (appended.ok || !isTransient(appended.refusal)) return appended;
  return park(config, handover.org, { group, refusal: appended.refusal });
}

async function appendNow(config: Config, handover: Handover, group: PackedMessage[]): Promise<Result<null>> {
  const { org, caller, delivery } = handover;
  const received_at = new Date(handover.received_at).toISOString();
  const batches = group.map(({ batch, part_of, position, events }) => {
    return { batch, part_of, position, received_at, delivery, events: events.map(({ cut }) => cut) };
  });
  const appended = await appendBatches(config, { org, caller, batches });
  const refused = appended.ok ? appended.value.find((result) => !result.ok) : appended;
  return refused === undefined || refused.ok ? ok(null) : refused;
}

/** Neither the queue nor the ledger takes them now: stored for the watchdog, they are durable and will be sequenced. */
async function park(
  config: Config,
  org: string,
  { group, refusal }: { group: PackedMessage[]; refusal: Refusal },
): Promise<Result<null>> {
  try {
    for (const { batch, text } of group) {
      const id = deadLetterIdOf(`${org}\0${batch}`);
      await storeDeadLetter(config, { id, org, refusal, state: "parked", attempts: 1, text });
    }
    return ok(null);
  } catch (error) {
    log("warn", { message: "nothing takes a handover", org, error: String(error) });
    return { ok: false, refusal };
  }
}

/** Groups that one `sendBatch` takes: 100 messages, 256 KB. */
function sendable(messages: readonly PackedMessage[]): PackedMessage[][] {
  const groups: PackedMessage[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const size = Buffer.byteLength(message.text) + 100;
    const last = groups.at(-1);
    if (last === undefined || bytes + size > QUEUE_SEND_MAX_BYTES || last.length === QUEUE_SEND_MAX_MESSAGES) {
      groups.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return groups;
}
