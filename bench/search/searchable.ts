import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { CELL_FULL_BYTES } from "../../src/limits.ts";
import { monthOf, slotOf } from "../../src/store/slot.ts";
import type { Bench } from "../bench.ts";
import { DAY_MS } from "../events.ts";
import type { FilledLog } from "../fill.ts";
import { buildBenchWorker } from "../service/build.ts";
import { Client } from "../service/client.ts";
import { type Service, startService } from "../service/start.ts";
import type { Filled, Filling, LogFilling, LogPart } from "./fill-logs.ts";

const ORGS = 20;
const SPREAD_DAYS = 90;
/** What a cell of 8 GB takes, at 2,158 bytes an entry. */
const CELL_ENTRIES = Math.floor(CELL_FULL_BYTES / 2_158);
const CELLS_MAX = 3;

export type Searchable = {
  service: Service;
  client: Client;
  large: FilledLog;
  small: FilledLog;
  cells: number;
  /** The same again in a workerd of its own, with an inspector; the one before has to be stopped. */
  inspected: () => Promise<{ service: Service; client: Client }>;
};

/** What was filled, as a folder that is kept says it. */
type Kept = { entries: number; large: FilledLog; small: FilledLog; cells: number };
const KEPT_FILE = "filled.json";

/**
 * A service of its own, with `entries` in as few cells as hold them: 20 orgs, one with half of all. They are sealed and
 * projected by the service's own functions, but straight into the cells' files, for through the API ten million take an hour.
 * Its publisher never runs: there are no segments that a tree could be made of.
 */
export async function startSearchable(bench: Bench, folder: string, entries: number): Promise<Searchable> {
  const script = buildBenchWorker(folder, "tree-off-worker.ts");
  const file = join(folder, KEPT_FILE);
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(await fillFolder(bench, { script, folder, entries })));
  const { entries: kept, ...filled } = JSON.parse(readFileSync(file, "utf8")) as Kept;
  if (kept !== entries) throw new Error(`${folder} holds ${kept} entries, not ${entries}`);
  const start = async (inspect: boolean) => {
    const service = await startService(script, { folder, cells: CELLS_MAX, inspect });
    return { service, client: new Client(service.port) };
  };
  return { ...filled, ...(await start(false)), inspected: () => start(true) };
}

async function fillFolder(
  bench: Bench,
  { script, folder, entries }: { script: string; folder: string; entries: number },
): Promise<Kept> {
  const cells = Math.min(CELLS_MAX, Math.ceil(entries / CELL_ENTRIES));
  const first = await startService(script, { folder, cells: CELLS_MAX });
  const client = new Client(first.port);
  const orgs = await client.createOrgs(ORGS);
  await client.until(orgs, ({ size, projected }) => size === projected);
  for (let n = 0; n < CELLS_MAX; n++) await prepareCell(await first.database(`CELL_${n}`), `CELL_${n}`);
  await first.stop();

  const toMs = Date.now();
  const span = { fromMs: toMs - SPREAD_DAYS * DAY_MS, toMs };
  const ledgers = ledgersIn(folder);
  const began = performance.now();
  const logs = plan(orgs, { entries, cells }).map(({ org, parts }): LogFilling => {
    const { log, prev } = ledgers.get(org) as Ledger;
    return { org, log, prev, parts };
  });
  const filled = await fillAll(bench, { cells: cellFiles(folder), logs, ...span }, entries);
  const perSecond = (entries * 1000) / (performance.now() - began);
  for (const log of filled) enter((ledgers.get(log.org) as Ledger).path, log);

  const of = (n: number): FilledLog => ({ org: orgs[n] ?? "", entries: sizeOf(filled, orgs[n]), ...span, perSecond });
  return { entries, large: of(0), small: of(1), cells };
}

/**
 * Marks a cell, to know its file by, and takes out the entries that orgs were created by: they are of today, and the month of
 * today would reach from the first index to the last.
 */
async function prepareCell(cell: D1Database, name: string): Promise<void> {
  const slot = slotOf(monthOf(Date.now()));
  await cell.batch([
    cell.prepare("create table bench_cell (name text)"),
    cell.prepare("insert into bench_cell values (?)").bind(name),
    cell.prepare(`delete from term_${slot} where rowid in (select key from entry_${slot})`),
    cell.prepare(`delete from entry_${slot}`),
  ]);
}

/** Which part of which log goes where: every cell is full before the next, the large log first. Index 0 is there already. */
function plan(
  orgs: string[],
  { entries, cells }: { entries: number; cells: number },
): { org: string; parts: LogPart[] }[] {
  const room = Array.from({ length: cells }, () => Math.ceil(entries / cells));
  return orgs.map((org, n) => {
    let left = n === 0 ? Math.floor(entries / 2) : Math.floor(entries / 2 / (orgs.length - 1));
    const parts: LogPart[] = [];
    for (let first = 1; left > 0; ) {
      const cell = Math.max(
        0,
        room.findIndex((free) => free > 0),
      );
      const count = Math.min(left, Math.max(room[cell] as number, 1));
      parts.push({ cell: `CELL_${cell}`, first, count });
      room[cell] = (room[cell] as number) - count;
      first += count;
      left -= count;
    }
    return { org, parts };
  });
}

/** Two processes fill: one the large log, one the others. */
async function fillAll(bench: Bench, { logs, ...rest }: Filling, entries: number): Promise<Filled[]> {
  let done = 0;
  const say = (count: number) => {
    done += count;
    const [now, all] = [done.toLocaleString("en-US"), entries.toLocaleString("en-US")];
    if (done % 50_000 < count) bench.say(`search: sealed and projected ${now} of ${all}`);
  };
  const [large, ...small] = logs;
  const shares = [large === undefined ? [] : [large], small.toReversed()];
  return (await Promise.all(shares.map((share) => fillSome({ logs: share, ...rest }, say)))).flat();
}

async function fillSome(filling: Filling, say: (count: number) => void): Promise<Filled[]> {
  const script = join(import.meta.dirname, "fill-logs.ts");
  const child = spawn(process.execPath, [script, JSON.stringify(filling)], { stdio: ["ignore", "pipe", "inherit"] });
  const filled: Filled[] = [];
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) filled.push(JSON.parse(line) as Filled);
    else say(Number(line));
  }
  const code = await ended;
  if (code !== 0) throw new Error(`filling ended with ${code}`);
  return filled;
}

type Ledger = { path: string; log: string; prev: string };

/** The ledgers' files by their orgs: each has sealed that it was created, and nothing more. */
function ledgersIn(folder: string): Map<string, Ledger> {
  const ledgers = new Map<string, Ledger>();
  for (const path of databasesIn(folder, "staged")) {
    const database = new DatabaseSync(path);
    const { org, log } = database.prepare("select org, log from org").get() as { org: string; log: string };
    const newest = database.prepare("select head from staged order by first desc limit 1").get();
    ledgers.set(org, { path, log, prev: (newest as { head: string } | undefined)?.head ?? "" });
    database.close();
  }
  return ledgers;
}

/** Lets a ledger stand where its entries end: all of them in a segment it will never be asked for. */
function enter(path: string, { size, prev, sequencedAt, placements }: Filled): void {
  const database = new DatabaseSync(path);
  database.exec("delete from staged; delete from segment");
  database.prepare("insert into segment values (0, ?, 'none', ?, ?)").run(size - 1, prev, sequencedAt);
  const { log } = database.prepare("select log from org").get() as { log: string };
  const insert = database.prepare("insert into placement (first_index, log, cell, org_number) values (?, ?, ?, ?)");
  for (const { first_index, cell, org_number } of placements) insert.run(first_index, log, cell, org_number);
  database.exec(`update org set created_at = ${sequencedAt - SPREAD_DAYS * DAY_MS}`);
  database.close();
}

/** The cells' files by their bindings, which a mark tells apart. */
function cellFiles(folder: string): Record<string, string> {
  const found = databasesIn(folder, "bench_cell").map((path) => {
    const database = new DatabaseSync(path);
    const { name } = database.prepare("select name from bench_cell").get() as { name: string };
    database.close();
    return [name, path] as const;
  });
  return Object.fromEntries(found);
}

function databasesIn(folder: string, table: string): string[] {
  const state = join(folder, "state");
  const files = readdirSync(state, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sqlite"));
  return files.map((name) => join(state, name)).filter((path) => hasTable(path, table));
}

function hasTable(path: string, table: string): boolean {
  const database = new DatabaseSync(path);
  const found = database.prepare("select 1 from sqlite_master where name = ?").get(table);
  database.close();
  return found !== undefined;
}

function sizeOf(filled: readonly Filled[], org: string | undefined): number {
  return filled.find((log) => log.org === org)?.size ?? 0;
}
