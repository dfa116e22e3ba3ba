import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Bench, cell, type Table } from "../bench.ts";
import { bodiesOf } from "../events.ts";
import type { Request } from "../load/job.ts";
import { findPostgres } from "../peer/cluster.ts";
import { type Peer, startPeer } from "../peer/start.ts";
import { sampleOf } from "../sample.ts";
import { appendRound, DISTINCT_TEXTS, nameOf, type Shape } from "./append.ts";

const SHAPES: Shape[] = [
  { events: 1, connections: 50, orgs: 1 },
  { events: 100, connections: 8, orgs: 1 },
];
const TITLE = "Beside PostgreSQL with a chain in a trigger";

type Pair = { ours: number; projected: number; p99: number; peer: number; peerP99: number };

/** The same load, in turn, on ours and on a chain that PostgreSQL keeps under a lock an org. */
export async function peer(bench: Bench): Promise<Table> {
  const bin = findPostgres();
  if (bin === null) {
    const notes = ["Skipped: PostgreSQL is not installed here (neither in PATH nor in /usr/lib/postgresql)."];
    return { title: TITLE, head: [""], rows: [], notes };
  }
  bench.say("peer: starting PostgreSQL");
  const running = await startPeer(bin);
  try {
    const pairs = SHAPES.map((): Pair[] => []);
    // The first round of each is not counted: engines compile, and the peer opens its pool and prepares its statements.
    for (let round = 0; round <= bench.rounds; round++) {
      for (const [n, shape] of SHAPES.entries()) {
        bench.say(`peer: ${nameOf(shape)}, round ${round} of ${bench.rounds}`);
        await settled();
        const theirs = await peerRound(bench, running, { shape, org: `org-${n}-${round}` });
        await settled();
        const { acknowledged, projected, p99 } = await appendRound(bench, shape);
        const pair = { ours: acknowledged, projected, p99, peer: theirs.rate, peerP99: theirs.p99 };
        if (round > 0) pairs[n]?.push(pair);
      }
    }
    return tableOf(pairs, running.version);
  } finally {
    await running.stop();
  }
}

/** What one of them wrote is on disk before the other begins: a commit would wait for the other's pages as well. */
async function settled(): Promise<void> {
  await promisify(execFile)("sync");
}

async function peerRound(
  { load, roundMs }: Bench,
  running: Peer,
  { shape: { events, connections }, org }: { shape: Shape; org: string },
): Promise<{ rate: number; p99: number }> {
  const requests = bodiesOf(DISTINCT_TEXTS, events).map((body): Request => {
    return { method: "POST", path: `/v1/orgs/${org}/events`, key: "bench", body };
  });
  const { answered, beganAt, endedAt, p99 } = await load.run({
    port: running.port,
    connections,
    ms: roundMs,
    requests,
  });
  const there = await running.count(org);
  if (there !== answered * events)
    throw new Error(`${answered * events} rows were acknowledged and ${there} are there`);
  return { rate: (answered * events * 1000) / (endedAt - beganAt), p99 };
}

function tableOf(pairs: readonly Pair[][], version: string): Table {
  return {
    title: TITLE,
    head: ["events/s", "ours", "ours, projected", "peer", "ours/peer", "projected/peer", "our p99 ms", "its p99 ms"],
    rows: SHAPES.map((shape, n) => {
      const of = (value: (pair: Pair) => number, digits: number) => cell(sampleOf((pairs[n] ?? []).map(value)), digits);
      return [
        nameOf(shape),
        of(({ ours }) => ours, 0),
        of(({ projected }) => projected, 0),
        of((pair) => pair.peer, 0),
        of((pair) => pair.ours / pair.peer, 2),
        of((pair) => pair.projected / pair.peer, 2),
        of(({ p99 }) => p99, 1),
        of(({ peerP99 }) => peerP99, 1),
      ];
    }),
    notes: [
      `${version}, its own settings; Node HTTP server with a pool of 20. The chain of each round was checked.`,
      "Ratios are of rounds next to each other. What is projected can be searched; the peer has no index to search by.",
    ],
  };
}
