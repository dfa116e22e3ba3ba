/** `npm run bench`: measures the built Worker on local workerd. See bench/README.md. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { processTerminal } from "../src/cli/terminal/terminal.ts";
import type { Bench, Table } from "./bench.ts";
import { type Flags, readFlags, type SectionName } from "./flags.ts";
import { Load } from "./load/load.ts";
import { ROOT } from "./root.ts";
import { cost } from "./sections/cost.ts";
import { fill, type FilledLog } from "./fill.ts";
import { append } from "./sections/append.ts";
import { beside } from "./sections/beside.ts";
import { ceiling } from "./sections/ceiling.ts";
import { keep } from "./sections/keep.ts";
import { exportLog } from "./sections/export.ts";
import { ladder } from "./sections/ladder.ts";
import { list } from "./sections/list.ts";
import { memory } from "./sections/memory.ts";
import { peer } from "./sections/peer.ts";
import { profile } from "./sections/profile.ts";
import { queue } from "./sections/queue.ts";
import { search } from "./sections/search.ts";
import { stages } from "./sections/stages.ts";
import { tree } from "./sections/tree.ts";
import { verify } from "./sections/verify.ts";
import { buildWorker } from "./service/build.ts";
import { Client } from "./service/client.ts";
import { startService } from "./service/start.ts";
import { showTable } from "./show.ts";

const RUN: Record<SectionName, (bench: Bench) => Promise<Table | Table[]>> = {
  ceiling,
  ladder,
  append,
  stages,
  queue,
  list,
  search,
  verify,
  export: exportLog,
  tree,
  cost,
  keep,
  memory,
  beside,
  peer,
};

const terminal = processTerminal(process.env);
const flags = readFlags(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "indelible-bench-"));
// An interrupted run leaves no process and no folder behind either: both are seen to when this process exits.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
save(flags, await measure(flags));

async function measure({ only, quick, rounds, entries, keep, profile: profiled }: Flags): Promise<Table[]> {
  const say = (text: string) => terminal.err.write(terminal.err.live ? `\r\u001b[2K${text}` : `${text}\n`);
  say("building the Worker");
  const service = await startService(buildWorker(folder, { minify: !profiled }), { folder, inspect: profiled });
  const load = new Load();
  const client = new Client(service.port);
  const plain = {
    service,
    client,
    load,
    folder,
    keep,
    entries,
    quick,
    rounds,
    roundMs: quick ? 1_000 : 2_000,
    say,
  };
  let filling: Promise<FilledLog> | undefined;
  const bench: Bench = { ...plain, filled: () => (filling ??= fill(plain, entries)) };
  const tables: Table[] = [];
  try {
    const show = (table: Table) => {
      if (terminal.err.live) terminal.err.write("\r\u001b[2K");
      terminal.out.write(showTable(table));
      tables.push(table);
    };
    if (profiled) for (const table of await profile(bench)) show(table);
    else {
      for (const name of only) for (const table of [await RUN[name](bench)].flat()) show(table);
    }
  } finally {
    load.stop();
    await service.stop();
  }
  return tables;
}

function save({ quick, entries }: Flags, tables: readonly Table[]): void {
  const results = join(ROOT, "bench", "results");
  mkdirSync(results, { recursive: true });
  const at = new Date().toISOString();
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version, platform: process.platform };
  const path = join(results, `${at.replaceAll(":", "-")}.json`);
  writeFileSync(path, `${JSON.stringify({ at, machine, quick, entries, tables }, null, 2)}\n`);
  terminal.out.write(`\nSaved in ${path}\n`);
}
