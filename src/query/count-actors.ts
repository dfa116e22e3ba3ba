import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { PAGE_MAX_ENTRIES, STATS_ACTOR_MAX_BYTES, STATS_ACTOR_MAX_ENTRIES, STATS_ACTOR_MAX_PAGES } from "../limits.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import type { Days, Tally } from "../store/read-counters.ts";
import { addTally, countEntries, NO_TALLY } from "./count-entries.ts";
import { readPage } from "./list-entries.ts";
import { parseListQuery } from "./query.ts";
import type { Tallies } from "./stats.ts";

/** Entries `[low, high)` of the org's log of this number, as many as the counters say. */
type Window = { log: number; low: number; high: number; entries: number };

const LAST_DAY = "9999-12-31";

/**
 * Counts entries by who acted, by reading them: counters do not know actors. Bounded before anything is read: counters say
 * how many entries the days hold and, as sequencing never goes back in time, at which indexes.
 */
export async function countActors(
  config: Config,
  org: string,
  { grant, days }: { grant: ReadGrant; days: Days },
): Promise<Result<Tallies>> {
  const counted = await countEntries(config, grant, { by: ["day"], days: { from: days.from, to: LAST_DAY } });
  if (!counted.ok) return counted;
  const windows = counted.value.map(({ log, placement, groups, next }): Window => {
    const sum = (later: boolean) =>
      groups.reduce((all, { count, value: [day = ""] }) => (day > days.to === later ? all + count : all), 0);
    const entries = sum(false);
    const high = Math.max(placement.first_index, next - sum(true));
    return { log, low: Math.max(placement.first_index, high - entries), high, entries };
  });
  const all = windows.reduce((sum, { entries }) => sum + entries, 0);
  if (all > STATS_ACTOR_MAX_ENTRIES) return tooMany();
  const tallies: Tallies = { total: NO_TALLY, named: new Map(), other: NO_TALLY, none: NO_TALLY };
  let bytes = 0;
  let pages = 0;
  for (const window of windows) {
    for await (const texts of pagesOf(config, org, { grant, window })) {
      if (!texts.ok) return texts;
      for (const text of texts.value) {
        bytes += text.length;
        addEntry(tallies, text, days);
      }
      if (bytes > STATS_ACTOR_MAX_BYTES || ++pages > STATS_ACTOR_MAX_PAGES) return tooMany();
    }
  }
  return ok(tallies);
}

/** The entries of a window as their reader may see them, a page at a time, newest first. */
async function* pagesOf(
  config: Config,
  org: string,
  { grant, window: { log, low, high } }: { grant: ReadGrant; window: Window },
): AsyncGenerator<Result<string[]>> {
  const bounds = { before_index: String(high), ...(low === 0 ? {} : { after_index: String(low - 1) }) };
  const query = parseListQuery(new URLSearchParams({ ...bounds, limit: String(PAGE_MAX_ENTRIES) }));
  if (!query.ok) return yield query;
  for (let reached: number | null = high; reached !== null && reached > low; ) {
    const cursor = { v: 1 as const, org, question: "", log, reached, read: null };
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(config, org, {
      grant,
      query: query.value,
      cursor,
    });
    if (!page.ok) return yield page;
    yield ok(page.value.answer.texts);
    reached = page.value.answer.reached;
  }
}

type Acted = {
  action?: string;
  actor?: { type: string; id: string | null };
  outcome?: { result?: string };
  sequenced_at?: string;
};

function addEntry(tallies: Tallies, text: string, days: Days): void {
  // Of a row that cannot be read nobody knows the day, and it lies among the indexes of these.
  const { action, actor, outcome, sequenced_at = days.from } = JSON.parse(text) as Acted;
  const day = sequenced_at.slice(0, 10);
  if (day < days.from || day > days.to) return;
  // How an entry ended whose event is not shown is not told either.
  const result = action === undefined ? null : (outcome?.result ?? "success");
  const is = (name: string) => (result === name ? 1 : 0);
  const tally: Tally = {
    ...{ count: 1, success: is("success"), failure: is("failure"), denied: is("denied") },
    ...{ first_day: day, last_day: day },
  };
  tallies.total = addTally(tallies.total, tally);
  const value = actor?.id ?? null;
  if (actor === undefined || value === null) {
    tallies.none = addTally(tallies.none, tally);
    return;
  }
  const { type } = actor;
  // No type holds a NUL, so two actors never share a key.
  const key = `${type}\0${value}`;
  tallies.named.set(key, { value, type, ...addTally(tallies.named.get(key) ?? NO_TALLY, tally) });
}

/** A refusal leaves without a trace, so it tells the bound and nothing of what the days hold. */
function tooMany() {
  const most = `${STATS_ACTOR_MAX_ENTRIES.toLocaleString("en-US")} entries, ${STATS_ACTOR_MAX_BYTES / 1e6} MB or ${STATS_ACTOR_MAX_PAGES} pages`;
  const remedy = "Ask for fewer days, or list the entries of one actor with actor=.";
  const errors = [{ pointer: "/from", message: `covers too much: more than ${most}. ${remedy}` }];
  return refuse("unprocessable", `These days hold more than ${most}, which is all that is read. ${remedy}`, { errors });
}
