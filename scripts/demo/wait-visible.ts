import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { failed, type Outcome } from "../../src/cli/outcome.ts";
import { call } from "./call.ts";

const pageSchema = z.object({
  data: z.array(
    z.object({
      id: z.string().optional(),
      index: z.int(),
      category: z.string().optional(),
      source: z.string().optional(),
      outcome: z.object({ result: z.string().optional() }).optional(),
    }),
  ),
  next_cursor: z.string().nullable(),
  visible_size: z.int(),
});

/** What an org's log shows of the story: how many of its events, by category and by result. */
export type Sight = { events: number; size: number; categories: Map<string, number>; results: Map<string, number> };

const WAIT_MAX_MS = 120_000;

type Watch = { service: { url: string; key: string }; org: string; events: number; onSeen: (visible: number) => void };

/** Waits until every event of the story can be read back, then counts what the log shows. */
export async function waitVisible(watch: Watch): Promise<Outcome<Sight>> {
  const deadline = performance.now() + WAIT_MAX_MS;
  for (;;) {
    const page = await readPage(watch, `limit=1&min_size=${watch.events}`);
    if (!page.ok) return page;
    watch.onSeen(Math.min(watch.events, page.value.visible_size));
    if (page.value.visible_size >= watch.events) {
      const sight = await countAll(watch);
      if (!sight.ok || sight.value.events >= watch.events) return sight;
    }
    if (performance.now() > deadline) {
      const seen = page.value.visible_size;
      return failed(
        `only ${seen} entries of org ${watch.org} are visible after ${WAIT_MAX_MS / 1000} s`,
        "see the log of npm start",
      );
    }
    await sleep(300);
  }
}

async function countAll(watch: Watch): Promise<Outcome<Sight>> {
  const sight: Sight = { events: 0, size: 0, categories: new Map(), results: new Map() };
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await readPage(watch, `source=client&limit=1000${next}`);
    if (!page.ok) return page;
    for (const entry of page.value.data) {
      if (entry.id?.startsWith(`demo-${watch.org}-`)) sight.events++;
      add(sight.categories, entry.category ?? "general");
      add(sight.results, entry.outcome?.result ?? "success");
    }
    sight.size = page.value.visible_size;
    cursor = page.value.next_cursor;
  } while (cursor !== null);
  return { ok: true, value: sight };
}

async function readPage({ service, org }: Watch, query: string): Promise<Outcome<z.infer<typeof pageSchema>>> {
  const answer = await call(service, `/v1/orgs/${org}/events?${query}`);
  if (!answer.ok) return answer;
  const page = pageSchema.safeParse(answer.value);
  return page.success
    ? { ok: true, value: page.data }
    : failed(`the list of org ${org} is not a list`, page.error.message);
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
