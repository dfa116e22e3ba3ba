import { Random } from "../../../scripts/demo/random.ts";
import { type Bench, cell, type Table } from "../../bench.ts";
import type { Outcome, Request } from "../../load/job.ts";
import { sampleOf } from "../../sample.ts";

/** A key may read 50 times a second, and the proof of an entry is a read of it. */
const KEYS = 20;
const REQUESTS = 500;
const REQUESTS_QUICK = 100;
/** One after the other: what is measured is the time of an answer. */
const CONNECTIONS = 1;

type Question = { name: string; path: (random: Random, size: number) => string };

const QUESTIONS: Question[] = [
  { name: "the newest checkpoint", path: () => "checkpoint" },
  { name: "inclusion", path: (random, size) => `proof/inclusion?index=${random.below(size)}&size=${size}` },
  { name: "consistency", path: (random, size) => `proof/consistency?from=${1 + random.below(size)}&to=${size}` },
  { name: "an entry, as tlog-proof", path: (random, size) => `events/${random.below(size)}/proof` },
];

/** Proofs of places all over a large log, never the same twice in a row. */
export async function proofs(bench: Bench): Promise<Table> {
  const { client, load, service } = bench;
  const { org, entries: size } = await bench.filled();
  await client.publish(org);
  const keys = await client.createKeys(org, KEYS);
  const rounds = QUESTIONS.map((): Outcome[] => []);
  const maxRequests = bench.quick ? REQUESTS_QUICK : REQUESTS;
  for (let round = 0; round < bench.rounds; round++) {
    for (const [n, { name, path }] of QUESTIONS.entries()) {
      bench.say(`tree: proofs, ${name}, round ${round + 1} of ${bench.rounds}`);
      const random = new Random(`proofs-${n}-${round}`);
      const requests = Array.from({ length: maxRequests }, (_, place): Request => {
        return { method: "GET", path: `/v1/orgs/${org}/${path(random, size)}`, key: keys[place % KEYS] as string };
      });
      const job = { port: service.port, connections: CONNECTIONS, ms: 120_000, requests, maxRequests };
      rounds[n]?.push(await load.run(job));
    }
  }
  return {
    title: `Proofs of a log of ${size.toLocaleString("en-US")} entries`,
    head: ["", "p50 ms", "p99 ms"],
    rows: QUESTIONS.map(({ name }, n) => [
      name,
      cell(sampleOf((rounds[n] ?? []).map(({ p50 }) => p50)), 1),
      cell(sampleOf((rounds[n] ?? []).map(({ p99 }) => p99)), 1),
    ]),
    notes: [
      `Of entries and sizes all over the log. ${maxRequests} requests a round, one at a time.`,
      "The service verifies each proof before it answers; that of an entry holds its record, and is traced.",
    ],
  };
}
