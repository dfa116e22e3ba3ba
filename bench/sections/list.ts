import { type Bench, cell, type Table } from "../bench.ts";
import { COMMON_ACTION, RARE_ACTOR } from "../events.ts";
import type { FilledLog } from "../fill.ts";
import type { Outcome, Request } from "../load/job.ts";
import { sampleOf } from "../sample.ts";

const KEYS = 20;
/** Walked with the largest pages there are, and then asked for pages of the ordinary size. */
const WALK_LIMIT = 1_000;
const WALK_MAX_PAGES = 200;
const DEEPEST_PAGES = 20;
const REQUESTS = 200;
const REQUESTS_QUICK = 40;
/** One reader: what is measured is the time of an answer, not how many are answered at once. */
const CONNECTIONS = 1;

type Question = { name: string; queries: string[] };

/** Pages of a hundred from a large log, one after the other, with keys of the org's own. */
export async function list(bench: Bench): Promise<Table> {
  const log = await bench.filled();
  const { client, load, service } = bench;
  const keys = await client.createKeys(log.org, KEYS);
  const questions = [...questionsOf(log), await deepOf(bench, log)];
  const rounds = questions.map((): Outcome[] => []);
  const found = await Promise.all(questions.map(({ queries }) => client.list(log.org, queries[0] ?? "")));
  const maxRequests = bench.rounds === 1 ? REQUESTS_QUICK : REQUESTS;
  for (let round = 0; round < bench.rounds; round++) {
    for (const [n, { name, queries }] of questions.entries()) {
      bench.say(`list: ${name}, round ${round + 1} of ${bench.rounds}`);
      const requests = Array.from({ length: Math.max(KEYS, queries.length) }, (_, place): Request => {
        const path = `/v1/orgs/${log.org}/events?${queries[place % queries.length]}`;
        return { method: "GET", path, key: keys[place % KEYS] as string };
      });
      const job = { port: service.port, connections: CONNECTIONS, ms: 120_000, requests, maxRequests };
      rounds[n]?.push(await load.run(job));
    }
  }
  return {
    title: `Listing a log of ${log.entries.toLocaleString("en-US")} entries, pages of 100`,
    head: ["", "entries on the page", "p50 ms", "p99 ms"],
    rows: questions.map(({ name }, n) => [
      name,
      String(found[n]?.data.length ?? 0) + (found[n]?.next_cursor === null ? "" : " and more"),
      cell(sampleOf((rounds[n] ?? []).map(({ p50 }) => p50)), 1),
      cell(sampleOf((rounds[n] ?? []).map(({ p99 }) => p99)), 1),
    ]),
    notes: [
      `Filled through the API, 500 a request: ${Math.round(log.perSecond).toLocaleString("en-US")} entries/s until projected.`,
      `Each answer is traced before it leaves. ${maxRequests} requests a round, one at a time.`,
    ],
  };
}

function questionsOf({ fromMs, toMs }: FilledLog): Question[] {
  const at = (share: number) => new Date(fromMs + (toMs - fromMs) * share).toISOString();
  const of = (name: string, query: Record<string, string>) => ({
    name,
    queries: [new URLSearchParams(query).toString()],
  });
  return [
    of("newest first", {}),
    of("a rare actor: one event in 10,000", { actor: RARE_ACTOR }),
    of("a common action: two events in five", { action: COMMON_ACTION }),
    of("two facets: an actor and an action", { actor: "u_1007", action: "document.share" }),
    of("a window of time: 1 % in the middle", { from: at(0.5), to: at(0.51) }),
    of("that window and a rare actor", { from: at(0.5), to: at(0.51), actor: RARE_ACTOR }),
  ];
}

/** Pages at the end of a walk by cursor over the common action. */
async function deepOf({ client, say }: Bench, { org }: FilledLog): Promise<Question> {
  const base = new URLSearchParams({ action: COMMON_ACTION });
  const cursors: string[] = [];
  let walked = 0;
  for (let page = 0; page < WALK_MAX_PAGES; page++) {
    say(`list: walking, page ${page + 1}`);
    const cursor = cursors.at(-1);
    const query = new URLSearchParams({ ...Object.fromEntries(base), limit: String(WALK_LIMIT) });
    if (cursor !== undefined) query.set("cursor", cursor);
    const { data, next_cursor } = await client.list(org, query.toString());
    walked += data.length;
    if (next_cursor === null) break;
    cursors.push(next_cursor);
  }
  const deepest = cursors.slice(-DEEPEST_PAGES - 1, -1);
  return {
    name: `that action, in a walk by cursor, after ${walked.toLocaleString("en-US")} entries`,
    queries: deepest.map((cursor) => new URLSearchParams({ ...Object.fromEntries(base), cursor }).toString()),
  };
}
