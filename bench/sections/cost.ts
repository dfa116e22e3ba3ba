import type { Bench, Table } from "../bench.ts";
import type { Meters } from "../cost/meters.ts";
import { billOf } from "../cost/prices.ts";
import { bodiesOf } from "../events.ts";
import type { Request } from "../load/job.ts";
import { buildBenchWorker } from "../service/build.ts";
import { withOwnService } from "../service/own.ts";
import { ROOT_KEY } from "../service/start.ts";
import { DISTINCT_TEXTS } from "./append.ts";

/** `calm`: each append waits until the one before can be searched, so that nothing is shared; the dearest there is. */
type Shape = { events: number; calm: boolean; queued: boolean };

const SHAPES: Shape[] = [
  ...[1, 10, 100].map((events) => ({ events, calm: true, queued: false })),
  ...[1, 10, 100].map((events) => ({ events, calm: false, queued: false })),
  ...[1, 100].map((events) => ({ events, calm: false, queued: true })),
];
const CONNECTIONS = 50;
/** Whole segments: archiving costs too, and what it drops from the ledger is a row written for each row dropped. */
const ENTRIES = { calm: 1_000, calmQuick: 200, busy: 10_000, busyQuick: 4_000 };
const SAID_EVERY = 50;
const SEGMENT_ENTRIES = 1_000;

/** What an event costs at list prices: counted at the stores, never estimated. */
export async function cost(bench: Bench): Promise<Table> {
  const rows: string[][] = [];
  const build = (folder: string) => buildBenchWorker(folder, "cost-worker.ts");
  await withOwnService(bench, { name: "cost", build }, async (own) => {
    for (const shape of SHAPES) {
      bench.say(`cost: ${nameOf(shape)}`);
      const { meters, requests, events } = await measure(own, shape);
      const bill = billOf(meters, { requests, events });
      const each = (count: number, digits = 2) => (count / events).toFixed(digits);
      const dollars = [bill.requests, bill.ledger, bill.rows, bill.archive, bill.queue, bill.all];
      rows.push([
        nameOf(shape),
        each(meters.cellRows),
        each(meters.ledgerRows),
        each(meters.cellRows + meters.ledgerRows),
        ...dollars.map((value) => value.toFixed(2)),
      ]);
    }
  });
  return {
    title: "Rows written an event, and list price in $ a million events",
    head: ["", "rows in D1", "in the ledger", "rows", "requests", "ledger", "rows $", "R2", "queue", "$ in all"],
    rows,
    notes: [
      "Calm: one append at a time, each waits until it can be searched. Busy: 50 connections without a pause.",
      "Events without ids of their own: an id adds one row in the ledger.",
      "Not in it: CPU time, the time a ledger is awake, storage, log lines, and what the directory gets by the minute.",
    ],
  };
}

async function measure(bench: Bench, shape: Shape): Promise<{ meters: Meters; requests: number; events: number }> {
  const { client } = bench;
  const orgs = await client.createOrgs(1);
  // What creating the org wrote, and that its first entry waits for company, is none of its events' business.
  await client.call("POST", `/v1/orgs/${orgs[0]}/events`, JSON.parse(DISTINCT_TEXTS[0] as string));
  await client.until(orgs, ({ size, projected }) => projected === size);
  const { quick } = bench;
  const busy = quick ? ENTRIES.busyQuick : ENTRIES.busy;
  const entries = shape.calm ? (quick ? ENTRIES.calmQuick : ENTRIES.calm) : busy;
  const requests = Math.ceil(entries / shape.events);
  const events = requests * shape.events;
  const before = await client.meters();
  if (shape.calm) await appendCalmly(bench, orgs[0] ?? "", shape.events, requests);
  else await appendBusily(bench, orgs[0] ?? "", shape, requests);
  await client.until(orgs, ({ size, projected }) => size === events + 2 && projected === size);
  await client.until(orgs, ({ size, archived }) => size - archived < SEGMENT_ENTRIES);
  return { meters: await client.metersSince(before), requests, events };
}

async function appendCalmly({ client, say }: Bench, org: string, size: number, requests: number): Promise<void> {
  const bodies = bodiesOf(DISTINCT_TEXTS, size);
  for (let n = 0; n < requests; n++) {
    await client.call("POST", `/v1/orgs/${org}/events`, JSON.parse(bodies[n % bodies.length] as string));
    await client.until([org], (standing) => standing.projected === standing.size);
    if (n % SAID_EVERY === 0) say(`cost: ${size} a request, calm, ${n} of ${requests}`);
  }
}

async function appendBusily(
  { load, service }: Bench,
  org: string,
  { events, queued }: Shape,
  maxRequests: number,
): Promise<void> {
  const requests = bodiesOf(DISTINCT_TEXTS, events).map((body): Request => {
    const path = `/v1/orgs/${org}/events`;
    return { method: "POST", path, key: ROOT_KEY, body, ...(queued ? { prefer: "respond-async" } : {}) };
  });
  const connections = Math.min(CONNECTIONS, maxRequests);
  await load.run({ port: service.port, connections, ms: 600_000, requests, maxRequests });
}

function nameOf({ events, calm, queued }: Shape): string {
  return `${events} a request, ${queued ? "queued, busy" : calm ? "calm" : "busy"}`;
}
