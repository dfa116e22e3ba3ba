import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Table } from "../bench.ts";
import { buildWorker } from "../service/build.ts";
import { Client } from "../service/client.ts";
import { memoryOf } from "../service/process.ts";
import { startService } from "../service/start.ts";
import { appendRound, nameOf, type Shape } from "./append.ts";

const SHAPES: Shape[] = [
  { events: 1, connections: 50, orgs: 20 },
  { events: 100, connections: 8, orgs: 1 },
  { events: 500, connections: 50, orgs: 20 },
];
const REST_MS = 15_000;

/** Resident memory of a workerd nobody has used yet, while it works, and when it rests again. */
export async function memory(bench: Bench): Promise<Table> {
  const folder = join(bench.folder, "memory");
  mkdirSync(folder);
  const service = await startService(buildWorker(folder, { minify: true }), { folder });
  try {
    const client = new Client(service.port);
    const own = { ...bench, service, client };
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
  } finally {
    await service.stop();
  }
}

function megabytes(bytes: number): string {
  return Number.isNaN(bytes) ? "–" : (bytes / 1e6).toFixed(0);
}
