import { EVENT_SHAPE, scanSource, type Shape, type SourceNode } from "../../src/chain/source-text.ts";
import { cutEvent } from "../../src/ingest/cut.ts";
import { parseEventsJson } from "../../src/ingest/parse-events.ts";
import { EVENT_MAX_DEPTH } from "../../src/limits.ts";
import type { Event } from "../../src/schema/event.ts";
import type { CutEvent } from "../../src/schema/ledger.ts";

/** A request's events in the forms they take at the door. */
export type Request = { body: string; values: Event[]; nodes: SourceNode[]; cuts: CutEvent[] };

const BATCH_SHAPE: Shape = { kind: "object", members: new Map([["events", { kind: "array", items: EVENT_SHAPE }]]) };

export function requestOf(body: string): Request {
  const parsed = JSON.parse(body) as { events?: Event[] };
  return { body, values: parsed.events ?? [parsed as Event], nodes: scanOf(body), cuts: cutsOf(body) };
}

/** The events of a body, cut as the door does it. */
export function cutsOf(body: string): CutEvent[] {
  const parsed = parseEventsJson(body);
  if (!parsed.ok) throw new Error(parsed.refusal.detail);
  return parsed.value.map(({ cut }) => cut);
}

/** Where the events of a body lie in it. */
export function scanOf(body: string): SourceNode[] {
  const batch = body.startsWith('{"events"');
  const found = scanSource(body, batch ? BATCH_SHAPE : EVENT_SHAPE, { maxDepth: EVENT_MAX_DEPTH });
  if (!found.ok) throw new Error("the events of the benchmark are valid");
  return batch ? (found.node.members?.get("events")?.items ?? []) : [found.node];
}

export function cutAll({ body, values, nodes }: Request): CutEvent[] {
  return values.map((value, n) => cutEvent(value, { text: body, node: nodes[n] as SourceNode }));
}
