import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { VISIBLE_WAIT_MAX_MS } from "../limits.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { type Cursor, decodeCursor, encodeCursor } from "./cursor.ts";
import { asksPersonal, type ListQuery, printOf } from "./query.ts";
import { restricted } from "./restriction.ts";
import { spansOf } from "./spans.ts";
import { type Found, type Reader, type Traced, traced } from "./traced.ts";
import { PageWork, type Tier } from "./page-work.ts";

/**
 * Entries as JSON texts, in the order asked for. `reached` null is the end of the list; it is of the log `log`. `visible`
 * is null for a restricted reader, who is not told how much else there is.
 */
type Page = { texts: string[]; reached: number | null; log: number; visible: number | null; tier: Tier };

export type EntryList = {
  texts: string[];
  next_cursor: string | null;
  visible_size: number | null;
  /** Where this page was looked for: `cold` months are read from R2, which takes longer. */
  tier: Tier;
};

/**
 * One page of an org's entries, newest first or `asc`. The work is bounded: a page may be short, even empty, while its
 * cursor is not null. Cursors hold while entries arrive: a walk meets each index at most once.
 */
export async function listEntries(
  config: Config,
  reader: Reader,
  query: ListQuery,
): Promise<Result<Traced<EntryList>>> {
  const read = (grant: ReadGrant, cursor: Cursor | null) => readPage(config, reader.org, { grant, query, cursor });
  const page = await tracedPage(config, reader, { query, route: "events.list", read });
  return page.ok ? ok({ ...page.value, answer: page.value.answer.list }) : page;
}

/** One traced page of a walk by cursor, which `read` finds: the list as it is answered, and the page it was made of. */
export async function tracedPage<P extends Page>(
  config: Config,
  reader: Reader,
  {
    query,
    route,
    weight = 1,
    read,
  }: {
    query: ListQuery;
    route: string;
    weight?: number;
    read: (grant: ReadGrant, cursor: Cursor | null) => Promise<Result<Found<P>>>;
  },
): Promise<Result<Traced<{ list: EntryList; page: P }>>> {
  const { org } = reader;
  const question = printOf(query);
  const decoded = query.cursor === null ? ok(null) : decodeCursor(query.cursor, { org, question });
  if (!decoded.ok) return decoded;
  const cursor = decoded.value;
  const found = await traced<P>(config, reader, {
    route,
    filter: query.text,
    weight,
    read: (grant) => read(grant, cursor),
  });
  if (!found.ok) return found;
  const { answer: page, read_index } = found.value;
  const { texts, reached, log, visible, tier } = page;
  const position = { v: 1, org, question, log, read: cursor?.read ?? read_index } as const;
  const next_cursor = reached === null ? null : encodeCursor({ ...position, reached });
  return ok({ answer: { list: { texts, next_cursor, visible_size: visible, tier }, page }, read_index });
}

/** One page for a reader with this grant: what `listEntries` answers and its trace says. */
export async function readPage(
  config: Config,
  org: string,
  { grant, query, cursor }: { grant: ReadGrant; query: ListQuery; cursor: Cursor | null },
): Promise<Result<Found<Page>>> {
  if (asksPersonal(query.filter) && !grant.personal) {
    return refuse("forbidden", "Filters on ip, session_id and request_id need the scope personal:read.");
  }
  if (grant.restriction !== null && query.min_size !== null) {
    return refuse("forbidden", "min_size asks how much the log holds, which a restricted reader is not told.");
  }
  const visible = await visibleSize(config, org, grant, query.min_size);
  const filter = restricted(query.filter, grant);
  const work = new PageWork(config, org, { grant, query, filter });
  const spans = spansOf({ ...grant, visible }, { query, filter, cursor });
  let at = { reached: null as number | null, log: grant.number };
  for (const [n, span] of spans.entries()) {
    at = { reached: await work.take(span), log: span.log.number };
    if (at.reached !== null) break;
    if (n < spans.length - 1 && work.spent) {
      at.reached = query.order === "desc" ? span.low : span.high - 1;
      break;
    }
  }
  const { texts, range, tier } = work;
  const shown = grant.restriction === null ? visible : null;
  return ok({ answer: { texts, ...at, visible: shown, tier }, results: texts.length, range });
}

/** How much of the log can be listed; `min_size` waits for it, at most 5 s. */
async function visibleSize(config: Config, org: string, grant: ReadGrant, wanted: number | null): Promise<number> {
  if (wanted === null || grant.visible >= wanted) return grant.visible;
  const waited = await callLedger(config, org, (ledger) => ledger.waitVisible(org, wanted, VISIBLE_WAIT_MAX_MS));
  return waited.ok ? waited.value : grant.visible;
}
