import { type Bench, cell, type Table } from "../bench.ts";
import { bodiesOf, eventTexts } from "../events.ts";
import type { Request } from "../load/job.ts";
import { sampleOf } from "../sample.ts";
import { cpuMs } from "../service/process.ts";
import { ROOT_KEY } from "../service/start.ts";

export type Shape = { events: number; connections: number; orgs: number };

const SHAPES: Shape[] = [
  ...[1, 10, 100, 500].flatMap((events) => [1, 20].map((orgs) => ({ events, connections: 50, orgs }))),
  { events: 100, connections: 8, orgs: 1 },
];
/** Distinct events that are sent in turn: enough that hardly any value is fresh in a cache by chance alone. */
const DISTINCT = 8_000;
/** A segment goes to R2 when there are a thousand entries: what is left below that is no work under way. */
const ARCHIVE_REST = 1_000;

/** Appends over HTTPS: acknowledged, that is durable, and until the last one can be searched. */
export async function append(bench: Bench): Promise<Table> {
  const rounds = SHAPES.map((): Round[] => []);
  for (let round = 0; round < bench.rounds; round++) {
    for (const [n, shape] of SHAPES.entries()) {
      bench.say(`append: ${nameOf(shape)}, round ${round + 1} of ${bench.rounds}`);
      rounds[n]?.push(await appendRound(bench, shape));
    }
  }
  const mean = DISTINCT_TEXTS.reduce((sum, text) => sum + text.length, 0) / DISTINCT_TEXTS.length;
  return {
    title: "Direct appends",
    head: ["", "acknowledged/s", "p50 ms", "p99 ms", "until projected/s", "workerd CPU µs an event"],
    rows: SHAPES.map((shape, n) => {
      const of = (value: (round: Round) => number) => sampleOf((rounds[n] ?? []).map(value));
      return [
        nameOf(shape),
        cell(of((round) => round.acknowledged)),
        cell(
          of((round) => round.p50),
          1,
        ),
        cell(
          of((round) => round.p99),
          1,
        ),
        cell(of((round) => round.projected)),
        cell(of((round) => round.cpuUs)),
      ];
    }),
    notes: [
      `Events of ${Math.round(mean)} bytes on average, without ids of their own. CPU is all of workerd's, projection included.`,
    ],
  };
}

export type Round = {
  acknowledged: number;
  projected: number;
  p50: number;
  p99: number;
  cpuUs: number;
  /** How many events, and into which orgs. */
  sent: number;
  orgs: string[];
};

export const DISTINCT_TEXTS = eventTexts("append", DISTINCT, { endMs: Date.now() });

/** One round in orgs of its own; returns when D1 and R2 are through with it. */
export async function appendRound(
  bench: Bench,
  { events, connections, orgs }: Shape,
  { prefer }: { prefer?: string } = {},
): Promise<Round> {
  const { client, load, service } = bench;
  const names = await client.createOrgs(orgs);
  const bodies = bodiesOf(DISTINCT_TEXTS, events);
  const requests = bodies.map((body, n): Request => {
    const path = `/v1/orgs/${names[n % orgs]}/events`;
    return { method: "POST", path, key: ROOT_KEY, body, ...(prefer === undefined ? {} : { prefer }) };
  });
  const cpuBefore = cpuMs(service.pid);
  const outcome = await load.run({ port: service.port, connections, ms: bench.roundMs, requests });
  const sent = outcome.answered * events;
  const sizes = await untilProjected(bench, names, sent);
  const projectedAt = performance.timeOrigin + performance.now();
  const cpuUs = ((cpuMs(service.pid) - cpuBefore) * 1000) / sent;
  await client.until(names, ({ size, archived }) => size - archived < ARCHIVE_REST);
  if (sizes !== sent + orgs) throw new Error(`${sent} events were acknowledged and ${sizes - orgs} are there`);
  return {
    acknowledged: (sent * 1000) / (outcome.endedAt - outcome.beganAt),
    projected: (sent * 1000) / (projectedAt - outcome.beganAt),
    p50: outcome.p50,
    p99: outcome.p99,
    cpuUs,
    sent,
    orgs: names,
  };
}

/** Waits until every event that was sent is in D1; answers how many entries there are. */
async function untilProjected({ client }: Bench, orgs: readonly string[], sent: number): Promise<number> {
  let sizes = 0;
  for (;;) {
    const standings = await Promise.all(orgs.map((org) => client.standing(org)));
    sizes = standings.reduce((sum, { projected }) => sum + projected, 0);
    // Every org begins with one entry of its own: that it was created.
    if (sizes >= sent + orgs.length) return sizes;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function nameOf({ events, connections, orgs }: Shape): string {
  return `${events} a request, ${connections} connections, ${orgs === 1 ? "one org" : `${orgs} orgs`}`;
}
