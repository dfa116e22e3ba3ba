import { createHmac } from "node:crypto";
import type { CutEvent } from "../schema/ledger.ts";

const PRINT_BYTES = 16;

/**
 * What was sent, as one text: the section texts before defaults and members of ours. JSON text holds no raw NUL, so
 * the parts cannot run into each other.
 */
function sentText(event: CutEvent): string {
  let text = `${event.id ?? ""}\0${event.category ?? ""}\0${event.event}`;
  for (const section of event.sections) text += `\0${section.name}\0${section.text}`;
  return text;
}

/** The keyed digest by which a ledger knows an event again: 16 bytes of HMAC-SHA-256. */
export function eventPrint(key: Uint8Array, event: CutEvent): Uint8Array {
  return createHmac("sha256", key).update(sentText(event)).digest().subarray(0, PRINT_BYTES);
}

/**
 * The same for a whole batch: over the prints of events that have one of their own, else over what was sent. Of an event that came before, in another
 * batch, it has the id alone: what was sent of it is forgotten with that one's receipt, and must not outlive it here.
 */
export function batchPrint(
  key: Uint8Array,
  events: readonly CutEvent[],
  { prints, cameBefore }: { prints: readonly (Uint8Array | null)[]; cameBefore: (event: CutEvent) => boolean },
): Uint8Array {
  const hmac = createHmac("sha256", key);
  events.forEach((event, n) => {
    const print = prints[n];
    if (cameBefore(event)) hmac.update(`${event.id}\x02`);
    else if (print) hmac.update(print);
    else hmac.update(`${sentText(event)}\x01`);
  });
  return hmac.digest().subarray(0, PRINT_BYTES);
}

/** A print that was cleared by an erasure matches anything: the id alone decides then. */
export function samePrint(stored: ArrayBuffer | Uint8Array | null, print: Uint8Array): boolean {
  return stored === null || Buffer.from(print).equals(stored instanceof Uint8Array ? stored : new Uint8Array(stored));
}

/** What stands in a receipt for an id that was erased: no id begins so. */
export function hiddenId(key: Uint8Array, id: string): string {
  return `~${createHmac("sha256", key).update(`indelible/receipt-id/v1\0${id}`).digest("base64url")}`;
}
