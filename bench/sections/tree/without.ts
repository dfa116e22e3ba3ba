import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bench, cell, type Table } from "../../bench.ts";
import { sampleOf } from "../../sample.ts";
import { buildWorker } from "../../service/build.ts";
import { Client } from "../../service/client.ts";
import { cpuMs } from "../../service/process.ts";
import { type Service, startService } from "../../service/start.ts";
import { appendRound, nameOf, type Shape } from "../append.ts";

const SHAPES: Shape[] = [
  { events: 1, connections: 50, orgs: 1 },
  { events: 100, connections: 8, orgs: 1 },
];
/** Long enough that checkpoints come out under load: the second is due five seconds after the first. */
const ROUND_TIMES = 5;

type Side = "on" | "off";
type Round = { acknowledged: number; cpuUs: number };
type Pair = Record<Side, Round>;

/** The same appends, in turn, to the service and to one that never publishes. */
export async function appendsWithout(bench: Bench): Promise<Table> {
  const services: Service[] = [];
  try {
    const start = async (side: Side, entry?: string): Promise<Bench> => {
      const folder = join(bench.folder, `tree-${side}`);
      mkdirSync(folder);
      const service = await startService(buildWorker(folder, { minify: true, ...(entry && { entry }) }), { folder });
      services.push(service);
      return { ...bench, service, client: new Client(service.port), roundMs: bench.roundMs * ROUND_TIMES };
    };
    const sides = { on: await start("on"), off: await start("off", "bench/tree-off-worker.ts") };
    const pairs = SHAPES.map((): Pair[] => []);
    // The first round of each is not counted: engines compile what runs often.
    for (let round = 0; round <= bench.rounds; round++) {
      for (const [n, shape] of SHAPES.entries()) {
        bench.say(`tree: on and off, ${nameOf(shape)}, round ${round} of ${bench.rounds}`);
        const pair: Partial<Pair> = {};
        // Whoever comes second finds the disk busier: each does in every other round.
        for (const side of round % 2 === 0 ? (["on", "off"] as const) : (["off", "on"] as const)) {
          pair[side] = await roundOf(sides[side], { shape, side });
        }
        if (round > 0) pairs[n]?.push(pair as Pair);
      }
    }
    return tableOf(pairs);
  } finally {
    for (const service of services) await service.stop();
  }
}

/** CPU time counts until all is in D1 and in segments and, with the tree, under a checkpoint. */
async function roundOf(bench: Bench, { shape, side }: { shape: Shape; side: Side }): Promise<Round> {
  const { client, service } = bench;
  const before = cpuMs(service.pid);
  const { acknowledged, sent, orgs } = await appendRound(bench, shape);
  if (side === "on") for (const org of orgs) await client.publish(org);
  return { acknowledged, cpuUs: ((cpuMs(service.pid) - before) * 1000) / sent };
}

function tableOf(pairs: readonly Pair[][]): Table {
  return {
    title: "Appends with the tree on and off",
    head: ["", "on: acknowledged/s", "off", "on/off", "on: CPU µs an event", "off", "on/off"],
    rows: SHAPES.map((shape, n) => {
      const of = (value: (pair: Pair) => number, digits = 0) => cell(sampleOf((pairs[n] ?? []).map(value)), digits);
      return [
        nameOf(shape),
        of(({ on }) => on.acknowledged),
        of(({ off }) => off.acknowledged),
        of(({ on, off }) => on.acknowledged / off.acknowledged, 2),
        of(({ on }) => on.cpuUs),
        of(({ off }) => off.cpuUs),
        of(({ on, off }) => on.cpuUs / off.cpuUs, 2),
      ];
    }),
    notes: [
      "Two services, by turns, in rounds next to each other. CPU is all of workerd's, until the last checkpoint is out.",
      "Off is the same Worker, whose publisher never runs: no leaf is hashed again, nothing is put or signed.",
    ],
  };
}
