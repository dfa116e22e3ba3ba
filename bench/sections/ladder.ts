import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bench, cell, type Table } from "../bench.ts";
import type { Request } from "../load/job.ts";
import { sampleOf } from "../sample.ts";
import { RUNGS } from "../ladder/rungs.ts";
import { buildBenchWorker } from "../service/build.ts";
import { cpuMs } from "../service/process.ts";
import { ROOT_KEY, startService } from "../service/start.ts";
import { DISTINCT_TEXTS } from "./append.ts";

/** Short rounds in turn, so that all rungs are measured in the same weather. */
const ROUND_MS = 300;
const TURNS = 4;

/** What one event a request costs before anything is sealed, projected or archived: the floor under `append`. */
export async function ladder(bench: Bench): Promise<Table> {
  const folder = join(bench.folder, "ladder");
  mkdirSync(folder);
  const service = await startService(buildBenchWorker(folder, "ladder-worker.ts"), { folder });
  try {
    const rounds = RUNGS.map((): { rate: number; cpuUs: number }[] => []);
    const requestsTo = (path: string) =>
      DISTINCT_TEXTS.map((body): Request => ({ method: "POST", path, key: ROOT_KEY, body }));
    for (let turn = 0; turn <= bench.rounds * TURNS; turn++) {
      for (const [n, name] of RUNGS.entries()) {
        bench.say(`ladder: ${name}, turn ${turn} of ${bench.rounds * TURNS}`);
        const before = cpuMs(service.pid);
        const load = { port: service.port, connections: 50, ms: ROUND_MS, requests: requestsTo(`/${n}`) };
        const outcome = await bench.load.run(load);
        const cpuUs = ((cpuMs(service.pid) - before) * 1000) / outcome.answered;
        // The first turn is the engine's, which compiles.
        if (turn > 0) rounds[n]?.push({ rate: (outcome.answered * 1000) / (outcome.endedAt - outcome.beganAt), cpuUs });
      }
    }
    return {
      title: "What an append of one event costs before it is one: 50 connections",
      head: ["a Worker that", "requests/s", "workerd CPU µs a request", "lowest"],
      rows: RUNGS.map((name, n) => {
        const found = rounds[n] ?? [];
        const cpu = found.map(({ cpuUs }) => cpuUs);
        return [
          name,
          cell(sampleOf(found.map(({ rate }) => rate))),
          cell(sampleOf(cpu)),
          cell(sampleOf([Math.min(...cpu)])),
        ];
      }),
      notes: ["The calls are those of the service; the Durable Object seals nothing, and nothing is projected."],
    };
  } finally {
    await service.stop();
  }
}
