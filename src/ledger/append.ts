import { ok, refuse, type Refusal, type Result } from "../errors.ts";
import { eventIdsOf } from "../ids.ts";
import { BACKLOG_MAX_BYTES, BACKLOG_MAX_ENTRIES, LOG_MAX_ENTRIES } from "../limits.ts";
import { count } from "../meter.ts";
import { ruledCategory } from "../schema/policy.ts";
import type { Appended, Batch, CutEvent, Receipt } from "../schema/ledger.ts";
import type { Draft } from "./draft.ts";
import { baseOf } from "./earlier.ts";
import { eventSection } from "./event-section.ts";
import { batchPrint, eventPrint, samePrint } from "./print.ts";
import {
  type BatchReceipt,
  coveredEvents,
  findBatch,
  findIds,
  type IdReceipt,
  receiptOf,
  rebuildReceipts,
  sameEvent,
  saveBatch,
  saveId,
} from "./receipts.ts";
import type { State } from "./state.ts";

/** Receipts made by earlier callers of the same draft, which storage does not show yet. */
export type DraftReceipts = {
  batches: Map<string, BatchReceipt>;
  ids: Map<string, IdReceipt>;
  once: Map<string, number>;
};

type Context = { sql: SqlStorage; state: State; draft: Draft; receipts: DraftReceipts; key: string };

/** What becomes of one event of a batch: sealed, or answered with the receipt of an earlier one. */
type Fate = { kind: "new" } | { kind: "known"; receipt: IdReceipt } | { kind: "same_as"; position: number };

/**
 * Seals a batch whole or not at all. Every refusal is decided before the first entry is sealed; a batch or an event
 * known from before gets its first receipt and changes nothing.
 */
export function planBatch(context: Context, batch: Batch): Result<Appended> {
  const { sql, state, draft, receipts } = context;
  const prints = batch.events.map((event) => (event.id === null ? null : eventPrint(state.org.printKey, event)));
  const ids = knownIds(context, batch.events);
  const idOf = eventIdsOf(batch.part_of ?? batch.batch);

  const before = receipts.batches.get(batch.batch) ?? findBatch(sql, batch.batch);
  const cameBefore = ({ id }: CutEvent) => isElsewhere(id === null ? undefined : ids.get(id), before);
  const print = batchPrint(state.org.printKey, batch.events, { prints, cameBefore });
  if (before !== null) {
    const same = batch.events.every((event, n) => !cameBefore(event) || isSame(event, ids, prints[n] ?? null));
    // Receipts of before have what was sent of every event in their print.
    const whole = () => batchPrint(state.org.printKey, batch.events, { prints, cameBefore: () => false });
    if (!same || (!samePrint(before.print, print) && !samePrint(before.print, whole()))) {
      return refuse("conflict", "This Idempotency-Key was used before, for other events.");
    }
    const covered = coveredEvents(batch.events, { receipt: before, ids });
    draft.whenCommitted(() => count("audit_events_duplicate_total", {}, covered));
    const position = (n: number) => idOf(batch.position + n);
    const told = batch.events.slice(0, covered);
    const again = rebuildReceipts(told, { receipt: before, ids, idOf: position, earlier: state.earlier });
    if (covered < batch.events.length) return planRest(context, batch, { covered, again });
    const size = Math.max(0, before.first + before.count - baseOf(state.earlier));
    return ok({ receipts: again, size });
  }
  const refusal = otherDoor(context, batch) ?? roomFor(state, draft, batch.events.length);
  if (refusal !== null) return { ok: false, refusal };
  const fates = decide(batch.events, { ids, prints });
  if (!Array.isArray(fates)) return fates;

  const sealed = sealAll(context, batch, { fates, prints, print, idOf });
  return ok({ receipts: sealed, size: draft.head.size });
}

/** Seals what a restore did not bring back of a batch, under a name of its own: what is left has its place elsewhere. */
function planRest(
  context: Context,
  batch: Batch,
  { covered, again }: { covered: number; again: Receipt[] },
): Result<Appended> {
  const rest = planBatch(context, {
    ...batch,
    batch: `${batch.batch} rest`,
    part_of: batch.part_of ?? batch.batch,
    position: batch.position + covered,
    fresh: true,
    events: batch.events.slice(covered),
  });
  return rest.ok ? ok({ ...rest.value, receipts: [...again, ...rest.value.receipts] }) : rest;
}

/** Whether an event that is known was sealed by another batch than this one. */
function isElsewhere(known: IdReceipt | undefined, batch: BatchReceipt | null): boolean {
  if (known === undefined || batch === null) return known !== undefined;
  return known.position < batch.first || known.position >= batch.first + batch.count;
}

function isSame({ id }: CutEvent, ids: ReadonlyMap<string, IdReceipt>, print: Uint8Array | null): boolean {
  const known = id === null ? undefined : ids.get(id);
  return known === undefined || sameEvent(known, print);
}

function knownIds({ sql, receipts }: Context, events: readonly CutEvent[]): Map<string, IdReceipt> {
  const ids = events.flatMap(({ id }) => (id === null ? [] : [id]));
  const known = findIds(sql, ids);
  for (const id of ids) {
    const receipt = receipts.ids.get(id);
    if (receipt !== undefined) known.set(id, receipt);
  }
  return known;
}

/**
 * One key through two doors: a request handed over in parts has a receipt for each part, one appended directly a
 * receipt for the whole. Whichever came second is refused, so that nothing is sealed twice.
 */
function otherDoor({ sql, receipts }: Context, { batch, part_of, fresh }: Batch): Refusal | null {
  if (fresh === true) return null;
  const other = part_of ?? `${batch} 0`;
  if (!receipts.batches.has(other) && findBatch(sql, other) === null) return null;
  const detail = "This Idempotency-Key was used before, with another Prefer header.";
  return { code: "conflict", detail };
}

function roomFor(state: State, draft: Draft, events: number): Refusal | null {
  const { backlog } = state;
  if (backlog.entries + events > BACKLOG_MAX_ENTRIES || backlog.bytes > BACKLOG_MAX_BYTES) {
    const detail = `The ledger holds its limit of ${BACKLOG_MAX_ENTRIES} entries or ${BACKLOG_MAX_BYTES} bytes that D1 or R2 have not taken yet.`;
    return { code: "overloaded", detail, retry_after_s: 30 };
  }
  if (draft.head.size + events <= LOG_MAX_ENTRIES) return null;
  return { code: "unprocessable", detail: `A log ends at ${LOG_MAX_ENTRIES} entries.` };
}

function decide(
  events: readonly CutEvent[],
  { ids, prints }: { ids: Map<string, IdReceipt>; prints: (Uint8Array | null)[] },
): Fate[] | { ok: false; refusal: Refusal } {
  const seen = new Map<string, number>();
  const fates: Fate[] = [];
  const conflicts: { pointer: string; message: string }[] = [];
  events.forEach(({ id }, n) => {
    const known = id === null ? undefined : ids.get(id);
    const earlier = id === null ? undefined : seen.get(id);
    const print = prints[n] ?? null;
    const same =
      known === undefined
        ? earlier === undefined || (print !== null && samePrint(prints[earlier] ?? null, print))
        : sameEvent(known, print);
    if (!same) conflicts.push({ pointer: `/events/${n}/id`, message: "was used before, for another event" });
    if (known !== undefined) fates.push({ kind: "known", receipt: known });
    else if (earlier !== undefined) fates.push({ kind: "same_as", position: earlier });
    else {
      if (id !== null) seen.set(id, n);
      fates.push({ kind: "new" });
    }
  });
  if (conflicts.length === 0) return fates;
  return refuse("conflict", `${conflicts[0]?.pointer} was used before, for another event. Nothing was appended.`, {
    errors: conflicts,
  });
}

function sealAll(
  { state: { earlier, org }, draft, receipts, key }: Context,
  batch: Batch,
  {
    fates,
    prints,
    print,
    idOf,
  }: { fates: Fate[]; prints: (Uint8Array | null)[]; print: Uint8Array; idOf: (position: number) => string },
): Receipt[] {
  const base = baseOf(earlier);
  const first = base + draft.head.size;
  const hashes: Uint8Array[] = [];
  const { sequencedAt } = draft;
  const answers: Receipt[] = [];
  batch.events.forEach((event, n) => {
    const fate = fates[n] as Fate;
    if (fate.kind === "known") {
      answers.push(receiptOf(event.id as string, fate.receipt, { duplicate: true, earlier }));
      return;
    }
    if (fate.kind === "same_as") {
      answers.push({ ...(answers[fate.position] as Receipt), duplicate: true });
      return;
    }
    const position = batch.position + n;
    const made = event.id === null ? idOf(position) : null;
    const ruled = ruledCategory(org.settings.retention, event.action);
    const { category, text } = eventSection(event, { batch, key, position, id: made, ruled });
    const sections = [{ name: "event", text }, ...event.sections];
    const sealed = draft.seal({ source: "client", category, sentCategory: event.category, sections });
    hashes.push(sealed.hashBytes);
    const receipt = { position: base + sealed.index, print: prints[n] ?? null, sequencedAt };
    if (event.id !== null) {
      const id = event.id;
      receipts.ids.set(id, { ...receipt, hash: sealed.hash });
      draft.write((sql) => saveId(sql, id, { ...receipt, hash: sealed.hashBytes }));
    }
    const known = { ...receipt, hash: sealed.hash };
    answers.push(receiptOf(event.id ?? (made as string), known, { duplicate: false, earlier }));
  });
  const receipt = { first, count: hashes.length, print, sequencedAt, hashes: Buffer.concat(hashes) };
  receipts.batches.set(batch.batch, receipt);
  draft.write((sql) => saveBatch(sql, batch.batch, receipt));
  draft.whenCommitted(() => {
    count("audit_events_logged_total", { delivery: batch.delivery }, hashes.length);
    count("audit_events_duplicate_total", {}, batch.events.length - hashes.length);
  });
  return answers;
}

/** Roughly what a batch adds to a transaction. */
export function weightOf(batch: Batch): number {
  let bytes = 0;
  for (const event of batch.events) {
    bytes += event.event.length + 600;
    for (const section of event.sections) bytes += section.text.length + 80;
  }
  return bytes;
}
