import type { Meters } from "./meters.ts";

/** List prices of Workers Paid in $ a million, beyond what is included. See README.md. */
const PRICES = { request: 0.3, ledgerRequest: 0.15, rowWritten: 1, classA: 4.5, classB: 0.36, queueOperation: 0.4 };

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
