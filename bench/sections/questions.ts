import { type Cell, cell } from "../bench.ts";
import type { Bench } from "../bench.ts";
import { COMMON_ACTION, RARE_ACTOR } from "../events.ts";
import type { FilledLog } from "../fill.ts";
import type { Outcome, Request } from "../load/job.ts";
import { sampleOf } from "../sample.ts";

/** What is asked of a log, one way or, by turns, several. */
export type Question = { name: string; queries: string[] };

const KEYS = 20;
const REQUESTS = 200;
const REQUESTS_QUICK = 40;
/** One reader: what is measured is the time of an answer, not how many are answered at once. */
const CONNECTIONS = 1;
/** Walked with the largest pages there are, and then asked for pages of the ordinary size. */
const WALK_LIMIT = 1_000;
const DEEPEST_PAGES = 20;

/** How many requests a round makes. */
export function requestsOf({ quick }: Bench): number {
  return quick ? REQUESTS_QUICK : REQUESTS;
}

/** Asks in rounds, with keys of the org's own; a row for each question: what a page holds, p50 and p99 in ms. */
export async function ask(bench: Bench, { org }: FilledLog, questions: readonly Question[]): Promise<Cell[][]> {
  const { client, load, service } = bench;
  const keys = await client.createKeys(org, KEYS);
  const rounds = questions.map((): Outcome[] => []);
  // One after the other: a page that is found beside others may run out of time.
  const found: Awaited<ReturnType<typeof client.list>>[] = [];
  for (const { queries } of questions) found.push(await client.list(org, queries[0] ?? ""));
  for (let round = 0; round < bench.rounds; round++) {
    for (const [n, { name, queries }] of questions.entries()) {
      bench.say(`${name}, round ${round + 1} of ${bench.rounds}`);
      const requests = Array.from({ length: Math.max(KEYS, queries.length) }, (_, place): Request => {
        const path = `/v1/orgs/${org}/events?${queries[place % queries.length]}`;
        return { method: "GET", path, key: keys[place % KEYS] as string };
      });
      const job = {
        port: service.port,
        connections: CONNECTIONS,
        ms: 120_000,
        requests,
        maxRequests: requestsOf(bench),
      };
      rounds[n]?.push(await load.run(job));
    }
  }
  return questions.map(({ name }, n) => [
    name,
    String(found[n]?.data.length ?? 0) + (found[n]?.next_cursor === null ? "" : " and more"),
    cell(sampleOf((rounds[n] ?? []).map(({ p50 }) => p50)), 1),
    cell(sampleOf((rounds[n] ?? []).map(({ p99 }) => p99)), 1),
  ]);
}

/** The questions of every log. */
export function questionsOf({ fromMs, toMs }: FilledLog): Question[] {
  const at = (share: number) => new Date(fromMs + (toMs - fromMs) * share).toISOString();
  return [
    questionOf("newest first", {}),
    questionOf("a rare actor: one event in 10,000", { actor: RARE_ACTOR }),
    questionOf("a common action: two events in five", { action: COMMON_ACTION }),
    questionOf("two facets: an actor and an action", { actor: "u_1007", action: "document.share" }),
    questionOf("a window of time: 1 % in the middle", { from: at(0.5), to: at(0.51) }),
    questionOf("that window and a rare actor", { from: at(0.5), to: at(0.51), actor: RARE_ACTOR }),
  ];
}

export function questionOf(name: string, query: Record<string, string>): Question {
  return { name, queries: [new URLSearchParams(query).toString()] };
}

/** Pages at the end of a walk by cursor over the common action, `pages` of the largest or to the end of the log. */
export async function deepOf({ client, say }: Bench, { org }: FilledLog, pages: number): Promise<Question> {
  const base = new URLSearchParams({ action: COMMON_ACTION });
  const cursors: string[] = [];
  let walked = 0;
  for (let page = 0; page < pages; page++) {
    say(`walking, page ${page + 1}`);
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
