import type { Bench, Table } from "../bench.ts";
import { buildWorker } from "../service/build.ts";
import { memoryOf } from "../service/process.ts";
import { withOwnService } from "../service/own.ts";
import { appendRound, nameOf, type Shape } from "./append.ts";

const SHAPES: Shape[] = [
  { events: 1, connections: 50, orgs: 20 },
  { events: 100, connections: 8, orgs: 1 },
  { events: 500, connections: 50, orgs: 20 },
];
const REST_MS = 15_000;

/** Resident memory of a workerd nobody has used yet, while it works, and when it rests again. */
export async function memory(bench: Bench): Promise<Table> {
  const build = (folder: string) => buildWorker(folder, { minify: true });
  return withOwnService(bench, { name: "memory", build }, async (own) => {
    const { client, service } = own;
    const rows: string[][] = [];
    const note = (name: string) => {
      const { now, highest } = memoryOf(service.pid);
      rows.push([name, megabytes(now), megabytes(highest)]);
    };
    note("started, nothing asked of it yet");
    await client.createOrgs(1);
    note("idle, one org created");
    for (const shape of SHAPES) {
      bench.say(`memory: ${nameOf(shape)}`);
      for (let round = 0; round < bench.rounds; round++) await appendRound(own, shape);
      note(`after ${bench.rounds} × ${bench.roundMs / 1000} s of ${nameOf(shape)}`);
    }
    bench.say("memory: at rest");
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    note(`${REST_MS / 1000} s later`);
    return {
      title: "Memory of workerd, MB resident",
      head: ["", "now", "highest so far"],
      rows,
      notes: [
        "One process holds the Worker, all ledgers, D1, R2 and the queue with what waits in it, and two isolates.",
      ],
    };
  });
}

function megabytes(bytes: number): string {
  return Number.isNaN(bytes) ? "–" : (bytes / 1e6).toFixed(0);
}
