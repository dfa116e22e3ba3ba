import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bench, type Cell, cell, type Table } from "../bench.ts";
import { type Searchable, startSearchable } from "../search/searchable.ts";
import { sampleOf } from "../sample.ts";
import { type HeapUse, heapDuring } from "../service/heap.ts";
import { ask, deepOf, type Question, questionOf, questionsOf, requestsOf } from "./questions.ts";

/** Page 1,000 of a hundred each, reached by pages of a thousand. */
const DEEP_PAGES = 100;
/** How often each question is asked while memory is watched. */
const HEAP_TURNS = 20;
/** Both are common, and never together: whoever is granted a role is denied it. */
const NO_HIT = { action: "role.grant", result: "success" };

/** Questions to the largest and to a small org of `entries` in all, and the way to the end of one that finds nothing. */
export async function search(bench: Bench): Promise<Table[]> {
  const folder = bench.keep ?? join(bench.folder, "search");
  mkdirSync(folder, { recursive: true });
  const searchable = await startSearchable(bench, folder, bench.entries);
  const { large, small, cells } = searchable;
  const { rows, end, questions } = await askAll(bench, searchable);
  const memory = await heapOf(bench, searchable, questions).then(
    heapNote,
    (error) => `Memory was not watched: ${error}.`,
  );
  const count = (entries: number) => entries.toLocaleString("en-US");
  return [
    {
      title: `Searching ${count(bench.entries)} entries in ${cells} ${cells === 1 ? "cell" : "cells"}, ${count(large.entries)} of them in one org`,
      head: ["", "entries on the page", "p50 ms", "p99 ms"],
      rows,
      notes: [
        `20 orgs; a small one has ${count(small.entries)}. Sealed and projected straight into the cells: ${count(Math.round(large.perSecond))} entries/s.`,
        `Pages of 100. Each answer is traced before it leaves. ${requestsOf(bench)} requests a round, one at a time.`,
        memory,
      ],
    },
    end,
  ];
}

function heapNote({ idle, highest, after }: HeapUse): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return `The Worker's isolate, asked each of these again ${HEAP_TURNS} times: ${megabytes(idle)} before, ${megabytes(highest)} at most, garbage included, ${megabytes(after)} after.`;
}

/** Asks and times; the service is stopped then. */
async function askAll(
  bench: Bench,
  searchable: Searchable,
): Promise<{ rows: Cell[][]; end: Table; questions: Question[] }> {
  const { service, client, large, small } = searchable;
  try {
    const own = { ...bench, service, client };
    const words: Question[] = [
      questionOf("free words", { q: "asked legal" }),
      questionOf("an exact phrase and a person", { q: '"asked by legal" actor:u_1007' }),
      questionOf("all but a common action", { "-action": "document.*" }),
    ];
    const questions = [...questionsOf(large), ...words, await deepOf(own, large, DEEP_PAGES)];
    const rows = await ask(own, large, questions);
    const [first, rare, , facets] = questionsOf(small);
    const beside = [first, rare, facets].filter((question) => question !== undefined);
    const smallRows = await ask(
      own,
      small,
      beside.map((one) => ({ ...one, name: `a small org: ${one.name}` })),
    );
    return { rows: [...rows, ...smallRows], end: await toTheEnd(own, searchable), questions };
  } finally {
    await service.stop();
  }
}

/** What the Worker's isolate takes to answer: databases are not in it, which in production are elsewhere. */
async function heapOf(
  bench: Bench,
  { inspected, large }: Searchable,
  questions: readonly Question[],
): Promise<HeapUse> {
  const { service, client } = await inspected();
  try {
    const wake = () => client.list(large.org, "");
    await wake();
    const use = async () => {
      for (const { name, queries } of questions) {
        bench.say(`memory: ${name}`);
        for (let turn = 0; turn < HEAP_TURNS; turn++)
          await client.list(large.org, queries[turn % queries.length] ?? "");
      }
    };
    return await heapDuring(service.inspector ?? "", { wake, use });
  } finally {
    await service.stop();
  }
}

/** The whole way through the large log for what is not there. */
async function toTheEnd(bench: Bench, { client, large }: Searchable): Promise<Table> {
  const times: number[] = [];
  const pages: number[] = [];
  let count = 0;
  for (let round = 0; round < bench.rounds; round++) {
    bench.say(`to the end of a query without hits, round ${round + 1} of ${bench.rounds}`);
    const began = performance.now();
    count = 0;
    for (let cursor: string | null = ""; cursor !== null; count++) {
      const at = performance.now();
      const query = new URLSearchParams({ ...NO_HIT, ...(cursor === "" ? {} : { cursor }) });
      const page = await client.list(large.org, query.toString());
      if (page.data.length > 0) throw new Error("a query without hits has hits");
      pages.push(performance.now() - at);
      cursor = page.next_cursor;
    }
    times.push(performance.now() - began);
  }
  const slowest = Math.max(...pages);
  const row: Cell[] = [
    "an action and a result that never meet",
    String(count),
    cell(sampleOf(pages), 1),
    slowest.toFixed(1),
    cell(sampleOf(times), 0),
  ];
  return {
    title: `To the end of a query without hits, ${large.entries.toLocaleString("en-US")} entries`,
    head: ["", "pages", "ms a page", "slowest page, ms", "ms in all"],
    rows: [row],
    notes: ["A page goes on from month to month until 100 ms are over: each answer is bounded, whatever is asked."],
  };
}
