import type { Meters } from "./meters.ts";

/** List prices of Workers Paid in $ a million, beyond what is included. See README.md. */
const PRICES = { request: 0.3, ledgerRequest: 0.15, rowWritten: 1, classA: 4.5, classB: 0.36, queueOperation: 0.4 };

/** List prices of what is stored, in $ a GB and month. Source: the pricing pages of D1, R2 and Durable Objects. */
const STORAGE_PRICES = { cell: 0.75, ledger: 0.2, archive: 0.015 };

/** Bytes of an entry that are stored for `months`, in $ a million entries. */
export function storageOf(store: keyof typeof STORAGE_PRICES, bytes: number, months: number): number {
  return (STORAGE_PRICES[store] * bytes * 1_000_000 * months) / 1e9;
}

/** $ a million events, by what is paid for. CPU time, awake ledgers, storage and log lines are not in it. */
export type Bill = { requests: number; ledger: number; rows: number; archive: number; queue: number; all: number };

export function billOf(meters: Meters, { requests, events }: { requests: number; events: number }): Bill {
  const of = (price: number, count: number) => (price * count) / events;
  const bill = {
    requests: of(PRICES.request, requests + meters.consumerRuns),
    ledger: of(PRICES.ledgerRequest, meters.ledgerCalls + meters.alarms),
    rows: of(PRICES.rowWritten, meters.ledgerRows + meters.cellRows),
    archive: of(PRICES.classA, meters.classA) + of(PRICES.classB, meters.classB),
    queue: of(PRICES.queueOperation, meters.queueOperations),
  };
  return { ...bill, all: bill.requests + bill.ledger + bill.rows + bill.archive + bill.queue };
}
