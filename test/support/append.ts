import { env } from "cloudflare:workers";
import type { Refusal } from "../../src/errors.ts";
import { cutEvent } from "../../src/ingest/cut.ts";
import { EVENT_SHAPE, scanSource } from "../../src/chain/source-text.ts";
import type { Caller } from "../../src/schema/caller.ts";
import type { Event } from "../../src/schema/event.ts";
import type { Appended, Batch, CutEvent } from "../../src/schema/ledger.ts";
import { must } from "./check/check-entry.ts";
import { event } from "./client.ts";

export const ROOT: Caller = {
  kind: "trusted",
  name: "root",
  scopes: ["events:append", "events:import", "operate"],
  orgs: "all",
};

/** Cuts a valid event as the edge does. */
function cut(value: Record<string, unknown>): CutEvent {
  const text = JSON.stringify(value);
  const scanned = scanSource(text, EVENT_SHAPE, { maxDepth: 64 });
  must(scanned.ok, "a test's event is valid");
  return cutEvent(value as Event, { text, node: scanned.node });
}

let batches = 0;
/** A batch of its own, or the one of this name. */
export function batchOf(events: readonly Record<string, unknown>[], more: Partial<Batch> = {}): Batch {
  return {
    batch: `batch-${Date.now().toString(36)}-${batches++}`,
    received_at: "2026-11-21T18:00:00.000Z",
    delivery: "direct",
    position: 0,
    part_of: null,
    events: events.map(cut),
    ...more,
  };
}

/** Appends batches through the ledger's own door; one answer a batch. */
export async function appendBatches(org: string, list: Batch[], caller: Caller = ROOT) {
  const answer = await env.ORG_LEDGER.getByName(org).append(org, caller, list);
  if (!answer.ok) return list.map(() => answer);
  return answer.value;
}

/** Appends one batch; throws when it is refused. */
export async function append(org: string, batch: Batch = batchOf([event(0)])): Promise<Appended> {
  const [answer] = await appendBatches(org, [batch]);
  must(answer?.ok === true, `refused: ${JSON.stringify(answer)}`);
  return answer.value;
}

/** Appends one batch and answers how it was refused; null when it was not. */
export async function refusalOf(
  org: string,
  batch: Batch = batchOf([event(0)]),
  caller = ROOT,
): Promise<Refusal | null> {
  const [answer] = await appendBatches(org, [batch], caller);
  return answer?.ok === false ? answer.refusal : null;
}
