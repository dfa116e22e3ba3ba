import { putDeadLetterBody, readDeadLetterBody } from "../archive/dead-letter.ts";
import type { Config } from "../env.ts";
import { ok, type Refusal, refuse, type Result } from "../errors.ts";
import { PARKED_RETRY_MAX_MS, PARKED_RETRY_MIN_MS, WATCHDOG_PARKED_PER_RUN } from "../limits.ts";
import { instantOf } from "../schema/names.ts";
import {
  type DeadLetterRow,
  dueParked,
  listDeadLetters as listRows,
  markDeadLetter,
  readDeadLetter,
  saveDeadLetter,
} from "../store/dead-letter.ts";
export type { DeadLetterRow } from "../store/dead-letter.ts";
import { parseMessage } from "./parse-message.ts";
import { appendBatches, sealTrace } from "./submit.ts";

const REASON_MAX_CHARACTERS = 1_000;

/** Whether trying again may help without anybody doing anything. */
export function isTransient({ code }: Refusal): boolean {
  return code === "overloaded" || code === "internal" || code === "rate_limited";
}

/**
 * Stores a message that could not be sequenced, body first: when it returns, it is durable and listed. `dead` waits for
 * a person, `parked` for the watchdog. Stored again after a redelivery, it is the same one.
 */
export async function storeDeadLetter(
  config: Config,
  letter: {
    id: string;
    org: string | null;
    refusal: Refusal;
    state: "dead" | "parked";
    attempts: number;
    text: string;
  },
): Promise<void> {
  const now = Date.now();
  // A crash between the two leaves a body without a row; the queue delivers again and both are there.
  await putDeadLetterBody(config.archive, letter.id, letter.text);
  await saveDeadLetter(config.directory, {
    id: letter.id,
    state: letter.state,
    org: letter.org,
    code: letter.refusal.code,
    reason: letter.refusal.detail.slice(0, REASON_MAX_CHARACTERS),
    received_at: receivedAt(letter.text) ?? now,
    stored_at: now,
    attempts: letter.attempts,
    next_at: letter.state === "parked" ? now + PARKED_RETRY_MIN_MS : null,
    bytes: Buffer.byteLength(letter.text),
  });
}

/** Dead letters, last stored first; `after` is the id of the last one seen. */
export function listDeadLetters(
  config: Config,
  query: { state?: DeadLetterRow["state"] | undefined; after: string | null; limit: number },
): Promise<DeadLetterRow[]> {
  return listRows(config.directory, query);
}

/** Replays one dead letter through the same validation; the events keep the time they were first received. */
export async function replayDeadLetter(config: Config, id: string): Promise<Result<DeadLetterRow>> {
  const row = await readDeadLetter(config.directory, id);
  if (row === null) return refuse("not_found", "There is no dead letter of this id.");
  if (row.state === "replayed") return ok(row);
  const replayed = await replay(config, row);
  const attempts = row.attempts + 1;
  if (!replayed.ok) {
    await markDeadLetter(config.directory, id, { ...row, attempts, reason: replayed.refusal.detail });
    return replayed;
  }
  await markDeadLetter(config.directory, id, { state: "replayed", attempts, next_at: null });
  return ok({ ...row, state: "replayed", attempts, next_at: null });
}

/** Replays what is parked and due, with back-off until it is sequenced; answers how many were tried. */
export async function replayParked(config: Config, now: number): Promise<number> {
  const due = await dueParked(config.directory, now, WATCHDOG_PARKED_PER_RUN);
  for (const row of due) {
    const attempts = row.attempts + 1;
    const replayed = await replay(config, row);
    if (replayed.ok) {
      await markDeadLetter(config.directory, row.id, { state: "replayed", attempts, next_at: null });
    } else if (isTransient(replayed.refusal)) {
      const delay = Math.min(PARKED_RETRY_MAX_MS, PARKED_RETRY_MIN_MS * 2 ** Math.min(20, attempts - 3));
      await markDeadLetter(config.directory, row.id, { state: "parked", attempts, next_at: now + delay });
    } else {
      const reason = replayed.refusal.detail;
      await markDeadLetter(config.directory, row.id, { state: "dead", attempts, next_at: null, reason });
    }
  }
  return due.length;
}

async function replay(config: Config, row: DeadLetterRow): Promise<Result<null>> {
  const text = await readDeadLetterBody(config.archive, row.id);
  if (text === null) return refuse("internal", "The body of this dead letter is not in the archive.");
  const parsed = parseMessage(text);
  if (!parsed.ok) return refuse(parsed.fault.code, parsed.fault.reason);
  const { message } = parsed;
  if (message.kind === "read") {
    const traced = await sealTrace(config, message);
    return traced.ok ? ok(null) : traced;
  }
  const { org, key, batch } = message;
  const caller = { kind: "trusted", name: key, scopes: ["events:append"], orgs: [org] } as const;
  const appended = await appendBatches(config, { org, caller, batches: [{ ...batch, delivery: "replay" }] });
  if (!appended.ok) return appended;
  const [result] = appended.value;
  return result === undefined || result.ok ? ok(null) : result;
}

function receivedAt(text: string): number | null {
  try {
    const { received_at } = JSON.parse(text) as { received_at?: unknown };
    return typeof received_at === "string" ? instantOf(received_at) : null;
  } catch {
    return null;
  }
}
