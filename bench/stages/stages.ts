import { putSegment } from "../../src/archive/segment.ts";
import { EVENT_SHAPE, scanSource, type Shape } from "../../src/chain/source-text.ts";
import { openSealed } from "../../src/chain/open-sealed.ts";
import { cutEvent } from "../../src/ingest/cut.ts";
import { parseEventsJson } from "../../src/ingest/parse-events.ts";
import { planBatch } from "../../src/ledger/append.ts";
import { createOrg } from "../../src/ledger/create.ts";
import { Draft } from "../../src/ledger/draft.ts";
import { eventSection } from "../../src/ledger/event-section.ts";
import { batchPrint } from "../../src/ledger/print.ts";
import { loadState } from "../../src/ledger/state.ts";
import { EVENT_MAX_DEPTH } from "../../src/limits.ts";
import { type Event, eventSchema } from "../../src/schema/event.ts";
import type { Batch, CutEvent } from "../../src/schema/ledger.ts";
import { sha256 } from "../../src/sha256.ts";
import { openRange, type ProjectableEntry, projectEntries } from "../../src/store/cell.ts";
import { counterOf } from "../../src/store/counter.ts";
import { monthOf, slotOf } from "../../src/store/slot.ts";
import { termKeyOf, termsOf } from "../../src/store/terms.ts";

/** Each works on one request's events; `round` says on which. */
export type Stages = Record<string, (round: number) => unknown>;

type Stores = { org: string; storage: DurableObjectStorage; cell: D1Database; archive: R2Bucket };

const LOG_PREFIX = "bench.example/v1/orgs/";
const SEGMENT_ENTRIES = 1_000;

/** The stages of an event's way for requests with these bodies, in the order it goes through them. */
export async function stagesOf(bodies: readonly string[], stores: Stores): Promise<Stages> {
  const requests = bodies.map(requestOf);
  const sealed = sealedOf(requests, stores);
  const of = <T>(list: readonly T[], round: number): T => list[round % list.length] as T;
  return {
    "JSON.parse": (round) => JSON.parse(of(bodies, round)),
    "find free values": (round) => scan(of(bodies, round)),
    validate: (round) => of(requests, round).values.map((value) => eventSchema.safeParse(value)),
    "cut into sections": (round) => of(requests, round).cut(),
    "the four together": (round) => parseEventsJson(of(bodies, round)),
    print: (round) => printOf(of(requests, round).cuts),
    "seal: commitments, leaf, hash": (round) => sealAll(sealed, of(requests, round)),
    "of it SHA-256 alone": (round) => of(sealed.hashed, round).map(sha256),
    "print, seal and one transaction": (round) => appendOne(sealed, stores, of(requests, round), round),
    "write the receipts": (round) => JSON.stringify(of(sealed.receipts, round)),
    "open for the index": (round) => of(sealed.lines, round).map(openSealed),
    "search tokens": (round) => of(sealed.opened, round).map((entry) => termsOf(sealed.termKey, entry)),
    "D1 batch": await projection(sealed, stores),
    [`R2 segment of ${SEGMENT_ENTRIES}`]: segments(sealed, stores),
  };
}

/** The events of a body, cut as the door does it. */
export function cutsOf(body: string): CutEvent[] {
  const parsed = parseEventsJson(body);
  if (!parsed.ok) throw new Error(parsed.refusal.detail);
  return parsed.value.map(({ cut }) => cut);
}

const BATCH_SHAPE: Shape = { kind: "object", members: new Map([["events", { kind: "array", items: EVENT_SHAPE }]]) };

function scan(body: string) {
  const batch = body.startsWith('{"events"');
  const found = scanSource(body, batch ? BATCH_SHAPE : EVENT_SHAPE, { maxDepth: EVENT_MAX_DEPTH });
  if (!found.ok) throw new Error("the benchmark's events are valid");
  return batch ? (found.node.members?.get("events")?.items ?? []) : [found.node];
}

type Request = { values: unknown[]; cuts: CutEvent[]; cut: () => unknown };

function requestOf(body: string): Request {
  const parsed = JSON.parse(body) as { events?: Event[] };
  const values = parsed.events ?? [parsed as Event];
  const nodes = scan(body);
  const cut = () => values.map((value, n) => cutEvent(value as Event, { text: body, node: nodes[n] as (typeof nodes)[0] }));
  return { values, cuts: cutsOf(body), cut };
}

const PRINT_KEY = new Uint8Array(32);

function printOf(cuts: readonly CutEvent[]) {
  return batchPrint(PRINT_KEY, cuts, cuts.map(() => null));
}

type Sealed = ReturnType<typeof sealedOf>;

/** A ledger's state, and what its entries look like from here on. */
function sealedOf(requests: readonly Request[], { org, storage }: Stores) {
  const log = LOG_PREFIX + org;
  const now = Date.now();
  const placement = { log, first_index: 0, cell: "CELL_0", org_number: 1 };
  createOrg(storage, org, { log, settings: { name: org, jurisdiction: "none", access_log: "sealed" }, placement, by: "bench", now });
  const state = loadState(storage.sql);
  if (state === null) throw new Error("an org just created has a state");
  const termKey = termKeyOf("index-key-of-the-bench", org);
  const lines: string[][] = [];
  const receipts: unknown[] = [];
  const hashed: Uint8Array[][] = [];
  for (const request of requests) {
    const draft = sealAll({ state }, request);
    const sealed = draft.lines();
    lines.push(sealed.lines);
    hashed.push(sealed.lines.flatMap(bytesHashed));
    receipts.push({ data: sealed.receipts, size: draft.head.size });
  }
  return { state, termKey, lines, receipts, hashed, opened: lines.map((of) => of.map(openSealed)), log };
}
