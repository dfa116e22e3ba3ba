import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { HASH_BYTES } from "../../../src/chain/node-hash.ts";
import { recordLines } from "../../../src/cli/verify/folder.ts";
import { sha256 } from "../../../src/sha256.ts";
import { httpSource, type LogReport, openCheckpoint, readKey, verifyLog } from "../../../src/verifier/index.ts";
import { type Bench, cell, type Table } from "../../bench.ts";
import { hashRate } from "../../hash-rate.ts";
import { sampleOf } from "../../sample.ts";
import { copySegments } from "../../service/copy-segments.ts";
import { ROOT_KEY } from "../../service/start.ts";
import { type Hashed, hashedOf } from "../../stages/hashed.ts";

const SAMPLE_ENTRIES = 10_000;
const SAID_EVERY = 20_480;

/** What the verifier is given: leaves alone, or the records as well. */
type Way = { name: string; records: boolean; inputs: Hashed[] };
type Round = { verified: number; hashed: number; cpuUs: number };

/** A whole log verified by who trusts nobody, beside SHA-256 alone over the bytes that takes. */
export async function wholeLog(bench: Bench): Promise<Table> {
  const { org, entries } = await bench.filled();
  await bench.client.publish(org);
  const folder = join(bench.folder, "segments");
  mkdirSync(folder);
  bench.say("tree: copying the segments");
  const names = await copySegments(bench, { org, folder });
  const ways = await waysOf(folder, names);
  const rounds = ways.map((): Round[] => []);
  for (let round = 0; round < bench.rounds; round++) {
    for (const [n, way] of ways.entries()) {
      const what = `tree: verifying ${way.name}, round ${round + 1} of ${bench.rounds}`;
      bench.say(what);
      const hashed = hashRate(way.inputs);
      rounds[n]?.push({
        ...(await verifyAll(bench, { org, what, records: way.records ? { folder, names } : null })),
        hashed,
      });
    }
  }
  return {
    title: `Verifying a log of ${entries.toLocaleString("en-US")} entries from outside`,
    head: ["", "entries/s", "SHA-256 alone", "share of it", "verifier's CPU µs an entry", "bytes hashed an entry"],
    rows: ways.map(({ name, inputs }, n) => {
      const of = (value: (round: Round) => number, digits = 0) => cell(sampleOf((rounds[n] ?? []).map(value)), digits);
      const bytes = inputs.flat().reduce((sum, input) => sum + input.length, 0) / inputs.length;
      return [
        name,
        of(({ verified }) => verified),
        of(({ hashed }) => hashed),
        of(({ verified, hashed }) => verified / hashed, 2),
        of(({ cpuUs }) => cpuUs),
        bytes.toFixed(0),
      ];
    }),
    notes: [
      "The library as the command uses it, in another process than workerd: tiles and bundles over HTTP, records from segments on disk.",
      "SHA-256 alone is the same function over leaf, sections and one node of the tree, on one thread.",
    ],
  };
}

async function waysOf(folder: string, names: readonly string[]): Promise<Way[]> {
  const lines: string[] = [];
  for await (const { line } of recordLines(folder, names).lines) {
    if (lines.push(line) === SAMPLE_ENTRIES) break;
  }
  const node = new Uint8Array(1 + 2 * HASH_BYTES);
  const whole = lines.map((line): Hashed => [...hashedOf(line), node]);
  // The leaf and the node come last.
  const leaves = whole.map((inputs) => inputs.slice(-2));
  return [
    { name: "leaves and tree", records: false, inputs: leaves },
    { name: "leaves, tree and every section", records: true, inputs: whole },
  ];
}

type Task = { org: string; what: string; records: { folder: string; names: readonly string[] } | null };

/** Verifies as somebody does who has the key from elsewhere; throws unless all of it holds, for nothing was broken. */
async function verifyAll(
  { client, service, say }: Bench,
  { org, what, records }: Task,
): Promise<Omit<Round, "hashed">> {
  const origin = `127.0.0.1:${service.port}/v1/orgs/${org}`;
  const read = readKey((await client.call("GET", `/v1/orgs/${org}/log-key`)).trim());
  if (!read.ok) throw new Error(read.why);
  const began = performance.now();
  const cpu = process.cpuUsage();
  const note = await client.call("GET", `/v1/orgs/${org}/checkpoint`);
  const opened = await openCheckpoint({ note, origin, keys: [read.key] });
  if (!opened.ok) throw new Error(opened.why);
  const report = await verifyLog({
    source: httpSource(`http://${origin}`, { headers: { authorization: `Bearer ${ROOT_KEY}` } }),
    checkpoint: opened.checkpoint,
    records: records === null ? null : recordLines(records.folder, records.names).lines,
    sha256,
    onProgress: ({ done }) => {
      if (done % SAID_EVERY === 0) say(`${what}: ${done.toLocaleString("en-US")} entries`);
    },
  });
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  checkReport(report, records !== null);
  return { verified: (report.entries * 1000) / ms, cpuUs: (user + system) / report.entries };
}

function checkReport(report: LogReport, whole: boolean): void {
  const seen = whole ? report.records === report.size && report.sections_unseen === 0 : true;
  if (!report.ok || report.entries !== report.size || !seen) {
    throw new Error(`verification: ${JSON.stringify(report).slice(0, 500)}`);
  }
}
