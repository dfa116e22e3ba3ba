import { type Bench, cell, type Table } from "../bench.ts";
import { bodiesOf } from "../events.ts";
import type { Job, Outcome, Request } from "../load/job.ts";
import { sampleOf } from "../sample.ts";
import { ROOT_KEY } from "../service/start.ts";
import { appendRound, DISTINCT_TEXTS } from "./append.ts";

/** Steady loads: at full speed an append waits for the CPU whatever else is asked, and that would be all there is to see. */
const APPENDS_PER_SECOND = 100;
const APPEND_CONNECTIONS = 20;
const READS_PER_SECOND = 500;
const READ_CONNECTIONS = 20;
/** A key may read 50 times a second: ten would do if each were asked in step. */
const READ_KEYS = 20;
const PAGE_ENTRIES = 10;
/** Rounds long enough for a p99 to rest on five answers and more. */
const LONGER = 3;

type Round = { alone: Outcome; beside: Outcome; reads: Outcome };

/** What reading does to those who append to the same org at the same time. */
export async function beside(bench: Bench): Promise<Table> {
  const { client, load, service } = bench;
  const [org = ""] = await client.createOrgs(1);
  const keys = await client.createKeys(org, READ_KEYS);
  const appends = bodiesOf(DISTINCT_TEXTS, 1).map((body): Request => {
    return { method: "POST", path: `/v1/orgs/${org}/events`, key: ROOT_KEY, body };
  });
  const reads = keys.map((key): Request => {
    return { method: "GET", path: `/v1/orgs/${org}/events?limit=${PAGE_ENTRIES}`, key };
  });
  const ms = bench.roundMs * LONGER;
  const ofAppends: Job = {
    port: service.port,
    connections: APPEND_CONNECTIONS,
    ms,
    requests: appends,
    perSecond: APPENDS_PER_SECOND,
  };
  const ofReads: Job = {
    port: service.port,
    connections: READ_CONNECTIONS,
    ms,
    requests: reads,
    perSecond: READS_PER_SECOND,
  };
  bench.say("beside: warming up");
  await appendRound(bench, { events: 1, connections: APPEND_CONNECTIONS, orgs: 1 });
  await Promise.all([load.run(ofAppends), load.runAny({ ...ofReads, ms: bench.roundMs })]);
  const rounds: Round[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    bench.say(`beside: round ${round + 1} of ${bench.rounds}`);
    const alone = await load.run(ofAppends);
    const [both, readBeside] = await Promise.all([load.run(ofAppends), load.runAny(ofReads)]);
    rounds.push({ alone, beside: both, reads: readBeside });
  }
  return tableOf(rounds);
}

function tableOf(rounds: readonly Round[]): Table {
  const row = (name: string, of: (round: Round) => Outcome) => {
    const all = rounds.map(of);
    return [
      name,
      cell(sampleOf(all.map(rateOf))),
      cell(sampleOf(all.map(({ p50 }) => p50)), 1),
      cell(sampleOf(all.map(({ p99 }) => p99)), 1),
    ];
  };
  const times = sampleOf(rounds.map(({ alone, beside: both }) => both.p99 / alone.p99));
  const refused = rounds.reduce((sum, { reads }) => sum + reads.answered - (reads.statuses["200"] ?? 0), 0);
  return {
    title: `${APPENDS_PER_SECOND} appends/s beside ${READS_PER_SECOND} reads/s of one org`,
    head: ["", "answered/s", "p50 ms", "p99 ms"],
    rows: [
      row("appends, nobody reads", ({ alone }) => alone),
      row("appends beside the reads", ({ beside: both }) => both),
      row("the reads", ({ reads }) => reads),
      ["p99 of appends, times as long", "", "", cell(times, 2)],
    ],
    notes: [
      `Reads are the newest ${PAGE_ENTRIES} entries with ${READ_KEYS} keys, each traced; ${refused} were refused.`,
      "An answer's time counts from when its request was due. Fewer reads answered than asked: the machine is full.",
    ],
  };
}

function rateOf({ answered, beganAt, endedAt }: Outcome): number {
  return (answered * 1000) / (endedAt - beganAt);
}
