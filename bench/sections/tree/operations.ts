import type { Bench, Table } from "../../bench.ts";
import type { Meters } from "../../cost/meters.ts";
import { billOf } from "../../cost/prices.ts";
import { bodiesOf } from "../../events.ts";
import type { Request } from "../../load/job.ts";
import { buildBenchWorker } from "../../service/build.ts";
import { withOwnService } from "../../service/own.ts";
import { ROOT_KEY } from "../../service/start.ts";
import { DISTINCT_TEXTS } from "../append.ts";

/** `each`: how many entries a checkpoint covers; null is a log that never rests, whose checkpoints come by the clock. */
type Shape = { each: number | null };

const SHAPES: Shape[] = [{ each: null }, { each: 256 }, { each: 16 }, { each: 1 }];
const BUSY = { events: 100, connections: 8, entries: 100_000, entriesQuick: 20_000 };
const CHECKPOINTS = 60;
const CHECKPOINTS_QUICK = 20;
const MILLION = 1_000_000;

/** What R2 was asked for a million entries, counted at the bucket, and what that costs. */
export async function operations(bench: Bench): Promise<Table> {
  const rows: string[][] = [];
  const build = (folder: string) => buildBenchWorker(folder, "cost-worker.ts");
  await withOwnService(bench, { name: "operations", build }, async (own) => {
    for (const shape of SHAPES) {
      bench.say(`tree: operations of R2, ${nameOf(shape)}`);
      const { meters, entries } = await measure(own, shape);
      const { archive } = billOf(meters, { requests: 0, events: entries });
      const each = (count: number) => Math.round((count * MILLION) / entries).toLocaleString("en-US");
      const { classA, classB, treeClassA, treeClassB, checkpoints } = meters;
      const counts = [checkpoints, classA, treeClassA, classB, treeClassB].map(each);
      rows.push([nameOf(shape), entries.toLocaleString("en-US"), ...counts, archive.toFixed(2)]);
    }
  });
  return {
    title: "Operations of R2 for a million entries",
    head: ["", "counted over", "checkpoints", "class A", "of it the tree", "class B", "of it the tree", "$"],
    rows,
    notes: [
      "Class A are puts and lists, class B gets and heads. What is not the tree's is segments.",
      "A log that is not busy has a checkpoint a minute at most, over all entries of that minute.",
    ],
  };
}

async function measure(bench: Bench, { each }: Shape): Promise<{ meters: Meters; entries: number }> {
  const { client } = bench;
  const { quick } = bench;
  const [org = ""] = await client.createOrgs(1);
  // What creating the org takes is none of its entries' business.
  await client.publish(org);
  const before = await client.meters();
  const { size } = await client.standing(org);
  if (each === null) await appendBusily(bench, org, quick ? BUSY.entriesQuick : BUSY.entries);
  else {
    const bodies = bodiesOf(DISTINCT_TEXTS, each);
    for (let n = 0; n < (quick ? CHECKPOINTS_QUICK : CHECKPOINTS); n++) {
      await client.call("POST", `/v1/orgs/${org}/events`, JSON.parse(bodies[n % bodies.length] as string));
      await client.publish(org);
    }
  }
  await client.publish(org);
  const { size: grown } = await client.standing(org);
  return { meters: await client.metersSince(before), entries: grown - size };
}

async function appendBusily({ load, service }: Bench, org: string, entries: number): Promise<void> {
  const { events, connections } = BUSY;
  const requests = bodiesOf(DISTINCT_TEXTS, events).map((body): Request => {
    return { method: "POST", path: `/v1/orgs/${org}/events`, key: ROOT_KEY, body };
  });
  const maxRequests = entries / events;
  await load.run({ port: service.port, connections, ms: 600_000, requests, maxRequests });
}

function nameOf({ each }: Shape): string {
  if (each === null) return "without a pause, 100 a request";
  return each === 1 ? "a checkpoint for every entry" : `a checkpoint for every ${each} entries`;
}
