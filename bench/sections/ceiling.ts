import { type Bench, cell, type Table } from "../bench.ts";
import { bodiesOf, eventTexts } from "../events.ts";
import type { Request } from "../load/job.ts";
import { sampleOf } from "../sample.ts";
import { cpuMs } from "../service/process.ts";
import { ROOT_KEY } from "../service/start.ts";

/** What HTTP costs before anything is done, and how much the load process could send at most. */
export async function ceiling(bench: Bench): Promise<Table> {
  const [body] = bodiesOf(eventTexts("ceiling", 1, { endMs: Date.now() }), 1);
  const post = (key: string): Request => ({
    method: "POST",
    path: "/v1/orgs/nobody/events",
    key,
    body: body as string,
  });
  const routes = [
    { name: "a Worker that does nothing", port: bench.service.noOpPort, request: post(ROOT_KEY) },
    { name: "no valid key: 401", port: bench.service.port, request: post("x") },
    { name: "an event parsed, no such org: 404", port: bench.service.port, request: post(ROOT_KEY) },
  ];
  const rounds = routes.map((): { rate: number; cpuUs: number }[] => []);
  for (let round = 0; round < bench.rounds; round++) {
    for (const [n, { name, port, request }] of routes.entries()) {
      bench.say(`ceiling: ${name}, round ${round + 1} of ${bench.rounds}`);
      const before = cpuMs(bench.service.pid);
      const outcome = await bench.load.runAny({ port, connections: 50, ms: bench.roundMs, requests: [request] });
      const cpuUs = ((cpuMs(bench.service.pid) - before) * 1000) / outcome.answered;
      rounds[n]?.push({ rate: (outcome.answered * 1000) / (outcome.endedAt - outcome.beganAt), cpuUs });
    }
  }
  return {
    title: "Requests alone, 50 connections",
    head: ["", "requests/s", "workerd CPU µs a request"],
    rows: routes.map(({ name }, n) => [
      name,
      cell(sampleOf((rounds[n] ?? []).map(({ rate }) => rate))),
      cell(sampleOf((rounds[n] ?? []).map(({ cpuUs }) => cpuUs))),
    ]),
    notes: [],
  };
}
