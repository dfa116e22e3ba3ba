import type { Bench, Table } from "../bench.ts";
import { ask, deepOf, questionsOf, requestsOf } from "./questions.ts";

const WALK_MAX_PAGES = 200;

/** Pages of a hundred from a large log, one after the other, with keys of the org's own. */
export async function list(bench: Bench): Promise<Table> {
  const log = await bench.filled();
  const questions = [...questionsOf(log), await deepOf(bench, log, WALK_MAX_PAGES)];
  return {
    title: `Listing a log of ${log.entries.toLocaleString("en-US")} entries, pages of 100`,
    head: ["", "entries on the page", "p50 ms", "p99 ms"],
    rows: await ask(bench, log, questions),
    notes: [
      `Filled through the API, 500 a request: ${Math.round(log.perSecond).toLocaleString("en-US")} entries/s until projected.`,
      `Each answer is traced before it leaves. ${requestsOf(bench)} requests a round, one at a time.`,
    ],
  };
}
