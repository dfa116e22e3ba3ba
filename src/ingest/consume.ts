import type { Config } from "../env.ts";
import type { Refusal } from "../errors.ts";
import {
  APPEND_MAX_BYTES,
  APPEND_MAX_EVENTS,
  QUEUE_ATTEMPTS,
  QUEUE_RETRY_SECONDS,
  QUEUE_STORE_RETRY_SECONDS,
} from "../limits.ts";
import { log } from "../log.ts";
import { count, countFailed } from "../meter.ts";
import { deadLetterIdOf } from "../ids.ts";
import { isTransient, storeDeadLetter } from "./dead-letters.ts";
import { type Message as Parsed, parseMessage } from "./parse-message.ts";
import { appendBatches, sealTrace } from "./submit.ts";

type Queued = Pick<Message, "id" | "attempts" | "ack" | "retry"> & { text: string };
type Append = { queued: Queued; message: Extract<Parsed, { kind: "append" }> };
/** `events`: how many the message held. */
type Outcome = { queued: Queued; org: string | null; refusal: Refusal | null; events: number };

/**
 * Takes one batch of the queue. Each message is read, sequenced in the org it names, and acknowledged on its own: what
 * one org's ledger refuses never touches another's. A message is acknowledged only when it is sequenced or stored.
 * A crash anywhere delivers again, and the ledger knows the batch id.
 */
export async function consume(config: Config, messages: readonly Message[]): Promise<void> {
  const groups = new Map<string, Append[]>();
  const outcomes: Promise<Outcome[]>[] = [];
  for (const message of messages) {
    const queued = toQueued(message);
    const parsed = readMessage(queued.text);
    if (!parsed.ok) {
      const { code, reason, org, held } = parsed.fault;
      outcomes.push(Promise.resolve([{ queued, org, refusal: { code, detail: reason }, events: held }]));
    } else if (parsed.message.kind === "read") {
      outcomes.push(traceRead(config, queued, parsed.message));
    } else {
      const name = `${parsed.message.org} ${parsed.message.key} ${parsed.message.batch.delivery === "import"}`;
      groups.set(name, [...(groups.get(name) ?? []), { queued, message: parsed.message }]);
    }
  }
  for (const group of groups.values()) {
    for (const appends of callsOf(group)) outcomes.push(append(config, appends));
  }
  const settled = (await Promise.all(outcomes)).flat();
  await Promise.all(settled.map((outcome) => settle(config, outcome)));
}

/** Reads a message; whatever it does to the reader is its own fault and none of its neighbours' business. */
function readMessage(text: string): ReturnType<typeof parseMessage> {
  try {
    return parseMessage(text);
  } catch (error) {
    log("error", { message: "a message could not be read", error: String(error) });
    const reason = "The message could not be read.";
    return { ok: false, fault: { code: "invalid_request", reason, org: null, held: 1 } };
  }
}

/** The text of a body of any content type; of one that is neither text nor JSON, its bytes in base64, so that none is lost. */
function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  if (body instanceof ArrayBuffer) return `base64:${Buffer.from(body).toString("base64")}`;
  try {
    return JSON.stringify(body) ?? "undefined";
  } catch {
    return String(body);
  }
}

function toQueued(message: Message): Queued {
  const text = textOf(message.body);
  return {
    id: message.id,
    attempts: message.attempts,
    text,
    ack: () => message.ack(),
    retry: (options) => message.retry(options),
  };
}

/** Messages of one org and key, in calls its ledger takes whole. */
function callsOf(group: readonly Append[]): Append[][] {
  const calls: Append[][] = [];
  let events = Number.POSITIVE_INFINITY;
  let bytes = 0;
  for (const append of group) {
    events += append.message.batch.events.length;
    bytes += append.queued.text.length;
    if (events > APPEND_MAX_EVENTS || bytes > APPEND_MAX_BYTES) {
      calls.push([]);
      events = append.message.batch.events.length;
      bytes = append.queued.text.length;
    }
    calls.at(-1)?.push(append);
  }
  return calls;
}

async function append(config: Config, appends: Append[]): Promise<Outcome[]> {
  const { org, key } = (appends[0] as Append).message;
  const scopes = ["events:append", "events:import"] as const;
  const answer = await appendBatches(config, {
    org,
    // Who may append was decided when the message was made; here only its name goes on.
    caller: { kind: "trusted", name: key, scopes, orgs: [org] },
    batches: appends.map(({ message }) => message.batch),
  });
  return appends.map(({ queued, message }, n) => {
    const result = answer.ok ? answer.value[n] : answer;
    const refusal = result === undefined || result.ok ? null : result.refusal;
    return { queued, org, refusal, events: message.batch.events.length };
  });
}

async function traceRead(config: Config, queued: Queued, message: Extract<Parsed, { kind: "read" }>) {
  const answer = await sealTrace(config, message);
  return [{ queued, org: message.org, refusal: answer.ok ? null : answer.refusal, events: 1 }];
}

async function settle(config: Config, { queued, org, refusal, events }: Outcome): Promise<void> {
  if (refusal === null) {
    count("audit_queue_messages_total", { outcome: "appended" });
    queued.ack();
    return;
  }
  const transient = isTransient(refusal);
  if (transient && queued.attempts < QUEUE_ATTEMPTS) {
    count("audit_queue_messages_total", { outcome: "retried" });
    queued.retry({ delaySeconds: QUEUE_RETRY_SECONDS[queued.attempts - 1] ?? QUEUE_STORE_RETRY_SECONDS });
    return;
  }
  const state = transient ? "parked" : "dead";
  try {
    const { attempts, text } = queued;
    await storeDeadLetter(config, { id: deadLetterIdOf(queued.id), org, refusal, state, attempts, text });
    count("audit_queue_messages_total", { outcome: state });
    if (state === "dead") countFailed(refusal.code, events);
    queued.ack();
  } catch (error) {
    // Neither sequenced nor stored: the queue keeps it.
    log("warn", { message: "a message could not be stored; it stays in the queue", org, error: String(error) });
    queued.retry({ delaySeconds: QUEUE_STORE_RETRY_SECONDS });
  }
}
