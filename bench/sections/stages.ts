import { dirname, join } from "node:path";
import { type Bench, type Cell, cell, type Table } from "../bench.ts";
import { bodiesOf, eventTexts } from "../events.ts";
import { sampleOf } from "../sample.ts";
import { buildBenchWorker } from "../service/build.ts";
import { applyMigrations } from "../service/migrations.ts";
import { loadMiniflare } from "../service/miniflare.ts";
import { cpuMs, workerdPid } from "../service/process.ts";

const SIZES = [1, 100] as const;
const DISTINCT = 2_000;
/** Long enough that starting and ending a run does not count. */
const RUN_MS = 250;
const ROUNDS_MAX_COUNT = 1_000_000;
/** Entries of the one stage whose size does not follow the request's. */
const SEGMENT_ENTRIES = 1_000;

/** Where the microseconds of an event go: each stage alone, on one thread of workerd, in CPU time. */
export async function stages(bench: Bench): Promise<Table> {
  const script = buildBenchWorker(bench.folder, "stages-worker.ts");
  const { Miniflare, convertV4MiniflareOptions } = loadMiniflare();
  const options = convertV4MiniflareOptions({
    workers: [
      {
        name: "stages",
        rootPath: dirname(script),
        modules: true,
        scriptPath: script,
        compatibilityDate: "2026-10-01",
        compatibilityFlags: ["nodejs_compat"],
        durableObjects: { RUNNER: { className: "Runner", useSQLite: true } },
        d1Databases: ["CELL_0"],
        r2Buckets: ["ARCHIVE"],
        unsafeDirectSockets: [{ host: "127.0.0.1" }],
      },
    ],
  });
  const persist = join(bench.folder, "stages-state");
  const miniflare = new Miniflare({
    ...options,
    host: "127.0.0.1",
    port: 0,
    cf: false,
    resourcePersistencePath: persist,
  });
  try {
    await miniflare.ready;
    await applyMigrations(await miniflare.getD1Database("CELL_0", "stages"), "CELL_0");
    const url = await miniflare.unsafeGetDirectURL("stages");
    const pid = workerdPid();
    const columns: Map<string, Cell>[] = [];
    for (const size of SIZES) columns.push(await measureAll(bench, { url, pid, size }));
    return {
      title: "Where the CPU time goes: µs an event, one thread, each stage alone",
      head: ["", ...SIZES.map((size) => `${size} a request`)],
      rows: [...(columns[0]?.keys() ?? [])].map((name) => [name, ...columns.map((column) => column.get(name) ?? "–")]),
      notes: ["CPU time of all of workerd: D1 and R2 are part of the same process here, and remote in production."],
    };
  } finally {
    await miniflare.dispose();
  }
}

type Runner = { url: URL; pid: number; size: number };

async function measureAll(bench: Bench, runner: Runner): Promise<Map<string, Cell>> {
  const bodies = bodiesOf(eventTexts("stages", DISTINCT, { endMs: Date.now() }), runner.size);
  const response = await fetch(urlOf(runner, "prepare"), { method: "POST", body: JSON.stringify(bodies) });
  const names = (await response.json()) as string[];
  const cells = new Map<string, Cell>();
  for (const name of names) {
    bench.say(`stages: ${name}, ${runner.size} a request`);
    const rounds = await calibrate(runner, name);
    const values: number[] = [];
    for (let n = 0; n < bench.rounds; n++) values.push(await cpuOf(runner, { name, rounds }));
    cells.set(name, cell(sampleOf(values), 1));
  }
  return cells;
}

/** How many rounds take long enough; by the way it makes the engine compile what is measured. */
async function calibrate(runner: Runner, name: string): Promise<number> {
  for (let rounds = 16; ; rounds *= 4) {
    const began = performance.now();
    await run(runner, { name, rounds });
    const ms = performance.now() - began;
    if (ms > RUN_MS / 4 || rounds >= ROUNDS_MAX_COUNT) return Math.max(1, Math.ceil((rounds * RUN_MS) / ms));
  }
}

/** CPU time in µs of one event. */
async function cpuOf(runner: Runner, { name, rounds }: { name: string; rounds: number }): Promise<number> {
  const before = cpuMs(runner.pid);
  await run(runner, { name, rounds });
  const events = rounds * (name.startsWith("R2") ? SEGMENT_ENTRIES : runner.size);
  return ((cpuMs(runner.pid) - before) * 1000) / events;
}

async function run(runner: Runner, { name, rounds }: { name: string; rounds: number }): Promise<void> {
  const response = await fetch(urlOf(runner, "run", { stage: name, rounds: String(rounds) }));
  if (!response.ok) throw new Error(`${name}: ${await response.text()}`);
}

function urlOf({ url, size }: Runner, path: string, query: Record<string, string> = {}): string {
  return `${url.href}${path}?${new URLSearchParams({ org: `stages-${size}`, ...query }).toString()}`;
}
