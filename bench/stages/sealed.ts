import { planBatch } from "../../src/ledger/append.ts";
import { createOrg } from "../../src/ledger/create.ts";
import { Draft } from "../../src/ledger/draft.ts";
import { eventSection } from "../../src/ledger/event-section.ts";
import { loadState, type State } from "../../src/ledger/state.ts";
import { NO_POLICY } from "../../src/schema/policy.ts";
import type { Appended, Batch } from "../../src/schema/ledger.ts";
import type { Request } from "./request.ts";

let batches = 0;

/** A ledger's own tables and state, in the storage of the benchmark's object. */
export function createLedger(storage: DurableObjectStorage, org: string): State {
  const log = `bench.example/v1/orgs/${org}`;
  const open = {
    access_log: "sealed",
    public_log: false,
    retention: NO_POLICY,
    cors_origins: [] as string[],
    require_reason: false,
    large_export_rows: 10_000,
  } as const;
  const settings = { name: org, jurisdiction: "none", ...open } as const;
  const placement = { log, first_index: 0, cell: "CELL_0", org_number: 1 };
  createOrg(storage, org, { log, settings, placement, by: "bench", now: Date.now() });
  const state = loadState(storage.sql);
  if (state === null) throw new Error("an org just created has a state");
  return state;
}

/** One append as the ledger does it: planned, sealed, and written in one transaction that is on disk when this resolves. */
export async function appendOne(storage: DurableObjectStorage, state: State, { cuts }: Request): Promise<Appended> {
  const draft = new Draft(state, Date.now());
  const receipts = { batches: new Map(), ids: new Map(), once: new Map() };
  const appended = planBatch({ sql: storage.sql, state, draft, receipts, key: "bench" }, batchOf(cuts));
  if (!appended.ok) throw new Error(appended.refusal.detail);
  storage.transactionSync(() => draft.commit(storage.sql));
  state.head = draft.head;
  await storage.sync();
  return appended.value;
}

/** Seals a request's events in a draft that is thrown away. */
export function sealAll(state: State, { cuts }: Request): void {
  const draft = new Draft(state, Date.now());
  const batch = batchOf(cuts);
  cuts.forEach((cut, position) => {
    const { category, text } = eventSection(cut, { batch, key: "bench", position, id: `evt_${position}`, ruled: null });
    const sections = [{ name: "event", text }, ...cut.sections];
    draft.seal({ source: "client", category, sentCategory: cut.category, sections });
  });
}

/** The record lines an append has staged last. */
export function newestLines({ sql }: DurableObjectStorage): string[] {
  const [row] = sql.exec<{ lines: string }>("select lines from staged order by first desc limit 1").toArray();
  return row?.lines.split("\n") ?? [];
}

function batchOf(events: Batch["events"]): Batch {
  const received_at = new Date().toISOString();
  return { batch: `bat_${batches++}`, received_at, delivery: "direct", position: 0, part_of: null, events };
}
