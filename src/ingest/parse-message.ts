import { type ErrorCode, ok, type Result } from "../errors.ts";
import type { Batch } from "../schema/ledger.ts";
import { appendMessageSchema, type ReadMessage, readMessageSchema } from "../schema/queue-message.ts";
import { heldBy, parseEventsArray } from "./parse-events.ts";

/** A message that says what it wants. */
export type Message =
  | { kind: "append"; org: string; key: string; batch: Batch }
  | { kind: "read"; org: string; read: ReadMessage };

/** Why a message can never be taken, as much of its origin as it told, and how many events it held. */
export type MessageFault = { code: ErrorCode; reason: string; org: string | null; held: number };

/** Reads a message with the same validation as a request; whoever put it into the queue. */
export function parseMessage(text: string): { ok: true; message: Message } | { ok: false; fault: MessageFault } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, fault: { code: "invalid_request", reason: "The message is not JSON.", org: null, held: 1 } };
  }
  const told = typeof value === "object" && value !== null ? (value as { org?: unknown; kind?: unknown }) : {};
  const org = typeof told.org === "string" ? told.org.slice(0, 64) : null;
  const fault = (code: ErrorCode, reason: string) => ({
    ok: false as const,
    fault: { code, reason, org, held: heldBy(value) },
  });

  if (told.kind === "read") {
    const read = readMessageSchema.safeParse(value);
    if (!read.success) return fault("invalid_request", firstIssue(read.error));
    return { ok: true, message: { kind: "read", org: read.data.org, read: read.data } };
  }
  if (told.kind !== "append") {
    const named = typeof told.kind === "string" ? `: ${told.kind.slice(0, 100)}` : "";
    return fault("invalid_request", `Unknown kind of message${named}.`);
  }
  const envelope = appendMessageSchema.safeParse(value);
  if (!envelope.success) return fault("invalid_request", firstIssue(envelope.error));
  const events: Result<Batch["events"]> = eventsOf(text, told);
  if (!events.ok) return fault(events.refusal.code, events.refusal.detail);
  const { batch, part_of, position, received_at, delivery, key } = envelope.data;
  return {
    ok: true,
    message: {
      kind: "append",
      org: envelope.data.org,
      key,
      batch: { batch, part_of, position, received_at, delivery, events: events.value },
    },
  };
}

function eventsOf(text: string, value: object): Result<Batch["events"]> {
  const parsed = parseEventsArray(text, value);
  return parsed.ok ? ok(parsed.value.map(({ cut }) => cut)) : parsed;
}

function firstIssue(error: { issues: { path: PropertyKey[]; message: string }[] }): string {
  const [issue] = error.issues;
  return `/${issue?.path.map(String).join("/") ?? ""}: ${issue?.message ?? "invalid"}`;
}
