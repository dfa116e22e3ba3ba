import { createMessageBatch, createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { deadLetterIdOf } from "../../src/ids.ts";
import worker from "../../src/worker.ts";
import { call, freshOrg } from "../support/client.ts";

export type Sent = { id: string; text: string; attempts?: number };

/** What the consumer did with a message: `lost` means that it neither acknowledged nor asked again. */
export type Fate = "acked" | "lost" | { retry_s: number | undefined };

export const RECEIVED_AT = "2026-11-21T17:59:58.123Z";

/** A message as the edge makes it. */
export function messageOf(
  org: string,
  events: readonly Record<string, unknown>[],
  more: Record<string, unknown> = {},
): Sent {
  const batch = freshOrg("batch");
  const text = JSON.stringify({
    ...{ v: 1, kind: "append", org, batch, part_of: null, position: 0, received_at: RECEIVED_AT, key: "shop" },
    ...{ delivery: "queued", ...more, events },
  });
  return { id: freshOrg("message"), text };
}

/** Gives messages to the real consumer as one batch. `crashBeforeAck` names those whose acknowledgement never arrives. */
export async function deliver(
  messages: readonly Sent[],
  { crashBeforeAck = new Set<string>() }: { crashBeforeAck?: ReadonlySet<string> } = {},
): Promise<Map<string, Fate>> {
  const fates = new Map<string, Fate>(messages.map(({ id }) => [id, "lost"]));
  const batch = createMessageBatch<unknown>(
    "indelible-ingest",
    messages.map(({ id, text, attempts = 1 }) => ({ id, attempts, timestamp: new Date(), body: text })),
  );
  // As on the platform, what is said of a message first holds.
  const settle = (id: string, fate: Fate) => fates.get(id) === "lost" && fates.set(id, fate);
  for (const message of batch.messages) {
    message.ack = () => {
      if (crashBeforeAck.has(message.id)) throw new Error("the consumer died before it acknowledged");
      settle(message.id, "acked");
    };
    message.retry = (options) => {
      settle(message.id, { retry_s: options?.delaySeconds });
    };
  }
  await worker.queue(batch, env).catch((error: unknown) => {
    if (crashBeforeAck.size === 0) throw error;
  });
  return fates;
}

/** Runs the watchdog as the cron trigger does at `time`. */
export async function runWatchdog(time = Date.now()): Promise<void> {
  await worker.scheduled(createScheduledController({ scheduledTime: time, cron: "* * * * *" }), env);
}

/** The dead letter of a message as the API lists it, and its body as R2 holds it. */
export async function deadLetterOf({ id }: Pick<Sent, "id">) {
  const name = deadLetterIdOf(id);
  const { json } = await call("GET", "/v1/dead-letters?limit=1000");
  const row = (json.data as Record<string, unknown>[]).find((one) => one["id"] === name) ?? null;
  return { name, row, body: (await (await env.ARCHIVE.get(`dead/${name}`))?.text()) ?? null };
}
