import { putSegment } from "../../src/archive/segment.ts";
import { openSealed } from "../../src/chain/open-sealed.ts";
import { parseEventsJson } from "../../src/ingest/parse-events.ts";
import { batchPrint } from "../../src/ledger/print.ts";
import { eventSchema } from "../../src/schema/event.ts";
import type { Appended } from "../../src/schema/ledger.ts";
import { sha256 } from "../../src/sha256.ts";
import { openRange, type ProjectableEntry, projectEntries } from "../../src/store/cell.ts";
import { seenOf } from "../../src/store/action-seen.ts";
import { counterOf } from "../../src/store/counter.ts";
import { monthOf, slotOf } from "../../src/store/slot.ts";
import { termKeyOf, termsOf } from "../../src/store/terms.ts";
import { hashedOf } from "./hashed.ts";
import { cutAll, type Request, requestOf, scanOf } from "./request.ts";
import { appendOne, createLedger, newestLines, sealAll } from "./sealed.ts";

/** Each works on one request's events; `round` says on which. */
export type Stages = Record<string, (round: number) => unknown>;

type Stores = { org: string; storage: DurableObjectStorage; cell: D1Database; archive: R2Bucket };

const SEGMENT_ENTRIES = 1_000;
const PRINT_KEY = new Uint8Array(32);

/** The stages of an event's way for requests with these bodies, in the order it goes through them. */
export async function stagesOf(bodies: readonly string[], stores: Stores): Promise<Stages> {
  const { org, storage } = stores;
  const state = createLedger(storage, org);
  const requests: Appendable[] = [];
  for (const request of bodies.map(requestOf)) {
    const appended = await appendOne(storage, state, request);
    const lines = newestLines(storage);
    requests.push({ ...request, appended, lines, opened: lines.map(openSealed), hashed: lines.flatMap(hashedOf) });
  }
  const termKey = termKeyOf("index-key-of-the-bench", org);
  const at = (round: number) => requests[round % requests.length] as Appendable;
  const entries = requests.map(({ lines, opened }) =>
    opened.map((entry, n): ProjectableEntry => {
      const slot = slotOf(monthOf(entry.leaf.sequenced_at));
      const terms = termsOf(termKey, entry);
      return { line: lines[n] as string, terms, slot, counter: counterOf(entry), seen: seenOf(entry) };
    }),
  );
  const lines = requests.flatMap((request) => request.lines);
  return {
    "JSON.parse": (round) => JSON.parse(at(round).body),
    "find free values": (round) => scanOf(at(round).body),
    validate: (round) => at(round).values.map((value) => eventSchema.safeParse(value)),
    "cut into sections": (round) => cutAll(at(round)),
    "these four in one": (round) => parseEventsJson(at(round).body),
    print: (round) => printOf(at(round)),
    seal: (round) => sealAll(state, at(round)),
    "of it SHA-256 alone": (round) => at(round).hashed.map(sha256),
    "print, seal, one transaction": (round) => appendOne(storage, state, at(round)),
    "write the receipts": (round) => JSON.stringify({ data: at(round).appended.receipts, size: round }),
    "open for the index": (round) => at(round).lines.map(openSealed),
    "search tokens": (round) => at(round).opened.map((entry) => termsOf(termKey, entry)),
    "D1 batch": await projection(stores, entries),
    [SEGMENT]: segments(stores, lines),
  };
}

type Appendable = Request & {
  appended: Appended;
  lines: string[];
  opened: ReturnType<typeof openSealed>[];
  hashed: Uint8Array[];
};

/** The one stage that always works on so many entries, whatever a request holds. */
const SEGMENT = `R2 segment of ${SEGMENT_ENTRIES}`;

function printOf({ cuts }: Request) {
  return batchPrint(PRINT_KEY, cuts, { prints: cuts.map(() => null), cameBefore: () => false });
}

/** What the ledger would make anew for each: some microseconds. */
const headMac = "x".repeat(43);

/** Requests' entries one batch after the other, each under the next free indexes. */
async function projection({ org, cell }: Stores, entries: readonly ProjectableEntry[][]): Promise<Stages[string]> {
  const orgNumber = await openRange(cell, { log: org, first_index: 0 });
  let from = 0;
  return async (round: number) => {
    const batch = entries[round % entries.length] as ProjectableEntry[];
    const done = await projectEntries(cell, { log: org, orgNumber, from, entries: batch, headMac });
    if (done.kind !== "projected") throw new Error("nobody else projects here");
    from += batch.length;
  };
}

function segments({ org, archive }: Stores, all: readonly string[]): Stages[string] {
  const lines = Array.from({ length: SEGMENT_ENTRIES }, (_, n) => all[n % all.length] as string);
  let first = 0;
  return async () => {
    await putSegment(archive, { log: org, first, lines, headMac });
    first += SEGMENT_ENTRIES;
  };
}
