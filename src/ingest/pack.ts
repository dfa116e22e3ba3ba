import { assert } from "../errors.ts";
import { QUEUE_MESSAGE_BYTES, QUEUE_MESSAGE_MAX_BYTES } from "../limits.ts";
import { type AppendMessage, MESSAGE_VERSION } from "../schema/queue-message.ts";
import type { ParsedEvent } from "./parse-events.ts";

/** A message as it is sent: its text, and which of the request's events it holds. */
export type PackedMessage = {
  batch: string;
  part_of: string | null;
  position: number;
  text: string;
  events: ParsedEvent[];
};

type Envelope = Pick<AppendMessage, "org" | "key" | "delivery" | "received_at"> & { batch: string };

/**
 * Packs events into messages of at most 60 kB, in order; a larger event travels alone. A request that fits one message
 * keeps its batch id; of a larger one each part is a batch of its own, `<batch> <n>`, a name no client can send.
 */
export function packMessages(envelope: Envelope, events: readonly ParsedEvent[]): PackedMessage[] {
  const groups: ParsedEvent[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const event of events) {
    const size = Buffer.byteLength(event.text) + 1;
    if (bytes + size > QUEUE_MESSAGE_BYTES) {
      groups.push([]);
      bytes = Buffer.byteLength(JSON.stringify(envelope)) + 100;
    }
    groups.at(-1)?.push(event);
    bytes += size;
  }
  let position = 0;
  return groups.map((group, n) => {
    const whole = groups.length === 1;
    const batch = whole ? envelope.batch : `${envelope.batch} ${n}`;
    const part_of = whole ? null : envelope.batch;
    const message = {
      batch,
      part_of,
      position,
      events: group,
      text: messageText({ ...envelope, batch, part_of, position }, group),
    };
    assert(Buffer.byteLength(message.text) <= QUEUE_MESSAGE_MAX_BYTES, "an event and its envelope fit one message");
    position += group.length;
    return message;
  });
}

/** JSON around the clients' own source texts, which go in as they came. */
function messageText(
  { org, batch, part_of, position, received_at, key, delivery }: Omit<AppendMessage, "v" | "kind" | "events">,
  events: readonly ParsedEvent[],
): string {
  const kind = "append";
  const head = JSON.stringify({ v: MESSAGE_VERSION, kind, org, batch, part_of, position, received_at, key, delivery });
  return `${head.slice(0, -1)},"events":[${events.map(({ text }) => text).join(",")}]}`;
}
