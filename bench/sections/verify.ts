import { type Bench, cell, type Table } from "../bench.ts";
import { hashRate } from "../hash-rate.ts";
import { sampleOf } from "../sample.ts";
import { cpuMs } from "../service/process.ts";
import { type Hashed, hashedOf } from "../stages/hashed.ts";

const SAMPLE_ENTRIES = 10_000;

type Round = { verified: number; hashed: number; cpuUs: number };

/** Verification of a whole log from what D1 holds, beside SHA-256 alone over the bytes it must hash. */
export async function verify(bench: Bench): Promise<Table> {
  const log = await bench.filled();
  const inputs = await inputsOf(bench);
  const rounds: Round[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    bench.say(`verify: round ${round + 1} of ${bench.rounds}`);
    const hashed = hashRate(inputs);
    const before = cpuMs(bench.service.pid);
    const { checked, ms } = await verifyAll(bench, log.org);
    const cpuUs = ((cpuMs(bench.service.pid) - before) * 1000) / checked;
    rounds.push({ verified: (checked * 1000) / ms, hashed, cpuUs });
  }
  const bytes = inputs.flat().reduce((sum, input) => sum + input.length, 0) / inputs.length;
  const hashes = inputs.flat().length / inputs.length;
  return {
    title: `Verifying a log of ${log.entries.toLocaleString("en-US")} entries`,
    head: ["", "entries/s"],
    rows: [
      ["GET …/verify, until the last report", cell(sampleOf(rounds.map(({ verified }) => verified)))],
      ["SHA-256 alone over the same bytes, one thread", cell(sampleOf(rounds.map(({ hashed }) => hashed)))],
      ["share of it", cell(sampleOf(rounds.map(({ verified, hashed }) => verified / hashed)), 2)],
      ["workerd CPU µs an entry", cell(sampleOf(rounds.map(({ cpuUs }) => cpuUs)))],
    ],
    notes: [
      `An entry is ${hashes.toFixed(1)} hashes of ${Math.round(bytes)} bytes together: its sections with name and salt, and its leaf.`,
      "SHA-256 alone is the same function, in Node. Verification reads from D1, in the same process here.",
    ],
  };
}

/** Verifies from the newest entry to the first, call after call; throws when a break is found, for none was made. */
async function verifyAll({ client, say }: Bench, org: string): Promise<{ checked: number; ms: number }> {
  const began = performance.now();
  let checked = 0;
  let range = "";
  for (;;) {
    const text: string = await client.call("GET", `/v1/orgs/${org}/verify${range}`);
    const report = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "{}");
    if (report.breaks?.length !== 0) throw new Error(`verification: ${JSON.stringify(report).slice(0, 500)}`);
    checked += report.checked;
    if (report.continue_from === null) break;
    say(`verify: ${checked.toLocaleString("en-US")} entries`);
    range = `?to=${report.continue_from}&expect=${report.continue_expect}`;
  }
  return { checked, ms: performance.now() - began };
}

/** What is hashed for some of the entries, read from where verification reads them. */
async function inputsOf({ service }: Bench): Promise<Hashed[]> {
  const database = await service.database("CELL_0");
  const found: string[] = [];
  for (let slot = 0; slot < 16; slot++) {
    const table = `entry_${String(slot).padStart(2, "0")}`;
    const { results } = await database
      .prepare(`select record from ${table} limit ?1`)
      .bind(SAMPLE_ENTRIES)
      .all<{ record: string }>();
    found.push(...results.map(({ record }) => record));
  }
  if (found.length === 0) throw new Error("D1 holds no entry of the log that was filled");
  return found.map(hashedOf);
}
