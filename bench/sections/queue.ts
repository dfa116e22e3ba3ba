import { type Bench, cell, type Table } from "../bench.ts";
import { sampleOf } from "../sample.ts";
import { appendRound, nameOf, type Round, type Shape } from "./append.ts";

const SHAPES: Shape[] = [
  { events: 1, connections: 50, orgs: 1 },
  { events: 100, connections: 8, orgs: 1 },
  { events: 100, connections: 8, orgs: 20 },
];

/** Events handed to the queue: accepted, that is durable there, and until the last one can be searched. */
export async function queue(bench: Bench): Promise<Table> {
  const rounds = SHAPES.map((): Round[] => []);
  for (let round = 0; round < bench.rounds; round++) {
    for (const [n, shape] of SHAPES.entries()) {
      bench.say(`queue: ${nameOf(shape)}, round ${round + 1} of ${bench.rounds}`);
      rounds[n]?.push(await appendRound(bench, shape, { prefer: "respond-async" }));
    }
  }
  return {
    title: "Through the queue",
    head: ["", "accepted/s", "p50 ms", "p99 ms", "until projected/s", "workerd CPU µs an event"],
    rows: SHAPES.map((shape, n) => {
      const of = (value: (round: Round) => number, digits = 0) => cell(sampleOf((rounds[n] ?? []).map(value)), digits);
      return [
        nameOf(shape),
        of(({ acknowledged }) => acknowledged),
        of(({ p50 }) => p50, 1),
        of(({ p99 }) => p99, 1),
        of(({ projected }) => projected),
        of(({ cpuUs }) => cpuUs),
      ];
    }),
    notes: ["A consumer waits up to a second for its batch to fill: in short rounds that second counts."],
  };
}
