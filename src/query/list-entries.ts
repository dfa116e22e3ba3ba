import { entryText } from "../chain/open.ts";
import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { PAGE_MAX_BYTES, SEARCH_MAX_MS, SEARCH_MAX_POSTINGS, VISIBLE_WAIT_MAX_MS } from "../limits.ts";
import type { LedgerPlacement, LogGrant, ReadGrant } from "../schema/ledger.ts";
import { type Listed, listEntries as listRange } from "../store/list-entries.ts";
import { type Cursor, decodeCursor, encodeCursor } from "./cursor.ts";
import { logsOf, monthsOf } from "./logs.ts";
import { matches } from "./matches.ts";
import { asksPersonal, type ListQuery, printOf } from "./query.ts";
import { openRow } from "./row.ts";
import { knownTermKey } from "./term-key.ts";
import { type Found, type Reader, type Traced, traced } from "./traced.ts";

/** Entries as JSON texts, in the order asked for. `reached` null is the end of the list; it is of the log `log`. */
type Page = { texts: string[]; reached: number | null; log: number; visible: number };

export type EntryList = { texts: string[]; next_cursor: string | null; visible_size: number };

/**
 * One page of an org's entries, newest first or `asc`. The work is bounded: a page may be short, even empty, while its
 * cursor is not null. Cursors hold while entries arrive: a walk meets each index at most once.
 */
export async function listEntries(
  config: Config,
  reader: Reader,
  query: ListQuery,
): Promise<Result<Traced<EntryList>>> {
  const { org } = reader;
  const question = printOf(query);
  const decoded = query.cursor === null ? ok(null) : decodeCursor(query.cursor, { org, question });
  if (!decoded.ok) return decoded;
  const page = await traced<Page>(config, reader, {
    route: "events.list",
    filter: query.text,
    read: (grant) => readPage(config, org, { grant, query, cursor: decoded.value }),
  });
  if (!page.ok) return page;
  const { answer, read_index } = page.value;
  const { texts, reached, log, visible } = answer;
  const read = decoded.value?.read ?? read_index;
  const next_cursor = reached === null ? null : encodeCursor({ v: 1, org, question, log, reached, read });
  return ok({ answer: { texts, next_cursor, visible_size: visible }, read_index });
}

async function readPage(
  config: Config,
  org: string,
  { grant, query, cursor }: { grant: ReadGrant; query: ListQuery; cursor: Cursor | null },
): Promise<Result<Found<Page>>> {
  if (asksPersonal(query.filter) && !grant.personal) {
    return refuse("forbidden", "Filters on ip, session_id and request_id need the scope personal:read.");
  }
  const visible = await visibleSize(config, org, grant, query.min_size);
  const texts: string[] = [];
  const indexes: number[] = [];
  let reached: number | null = null;
  let bytes = PAGE_MAX_BYTES;
  const deadline = Date.now() + SEARCH_MAX_MS;
  const spans = spansOf({ ...grant, visible }, { query, cursor });
  let at = grant.number;
  for (const [n, { log, placement, low, high }] of spans.entries()) {
    at = log.number;
    const listed = await listIn(config, org, {
      log,
      query,
      placement,
      low,
      high,
      limit: query.limit - texts.length,
      bytes,
      deadline,
    });
    for (const row of listed.rows) {
      bytes -= row.line.length;
      const entry = openRow(row, { log: placement.log, personal: grant.personal });
      if (!matches(query.filter, entry)) continue;
      texts.push(entryText(entry));
      if (log.number === grant.number) indexes.push(row.index);
    }
    reached = listed.reached;
    if (reached !== null) break;
    if (n < spans.length - 1 && (texts.length >= query.limit || bytes <= 0 || Date.now() > deadline)) {
      reached = query.order === "desc" ? low : high - 1;
      break;
    }
  }
  const range = indexes.length === 0 ? null : { from: Math.min(...indexes), to: Math.max(...indexes) };
  return ok({ answer: { texts, reached, log: at, visible }, results: texts.length, range });
}

async function listIn(
  config: Config,
  org: string,
  of: {
    log: LogGrant;
    query: ListQuery;
    placement: LedgerPlacement;
    low: number;
    high: number;
    limit: number;
    bytes: number;
    deadline: number;
  },
): Promise<Listed> {
  const cell = config.cells.get(of.placement.cell);
  if (cell === undefined) throw new Error(`binding ${of.placement.cell} is missing`);
  return listRange(
    cell,
    { placement: of.placement, low: of.low, high: of.high, months: monthsOf(of.log) },
    {
      termKey: knownTermKey(config, org),
      filter: of.query.filter,
      order: of.query.order,
      limit: of.limit,
      max_bytes: of.bytes,
      deadline_ms: of.deadline,
      max_postings: SEARCH_MAX_POSTINGS,
    },
  );
}

/** How much of the log can be listed; `min_size` waits for it, at most 5 s. */
async function visibleSize(config: Config, org: string, grant: ReadGrant, wanted: number | null): Promise<number> {
  if (wanted === null || grant.visible >= wanted) return grant.visible;
  const waited = await callLedger(config, org, (ledger) => ledger.waitVisible(org, wanted, VISIBLE_WAIT_MAX_MS));
  return waited.ok ? waited.value : grant.visible;
}

type Span = { log: LogGrant; placement: LedgerPlacement; low: number; high: number };

/** What the answer may come from, in the order asked for. Bounds of indexes are of the log that was the newest when the walk began, and leave out the others. */
function spansOf(grant: ReadGrant, { query, cursor }: { query: ListQuery; cursor: Cursor | null }): Span[] {
  const { order } = query;
  const bounded = query.after_index !== null || query.before_index !== null;
  const logs = logsOf(grant).filter(({ number }) => !bounded || number === (cursor?.log ?? grant.number));
  const ordered = order === "desc" ? logs : logs.toReversed();
  const from = ordered.findIndex(({ number }) => number === cursor?.log);
  return ordered.slice(Math.max(from, 0)).flatMap((log) => {
    const within = boundsOf(query, log.number === cursor?.log ? cursor : null, log.visible);
    return rangesOf(log.placements, within, order).map((range) => ({ log, ...range }));
  });
}

/** Indexes `[low, high)` of one log the answer may come from. */
function boundsOf(query: ListQuery, cursor: Cursor | null, visible: number): { low: number; high: number } {
  const afterCursor = cursor !== null && query.order === "asc" ? cursor.reached + 1 : 0;
  const beforeCursor = cursor !== null && query.order === "desc" ? cursor.reached : visible;
  const low = Math.max(afterCursor, query.after_index === null ? 0 : query.after_index + 1);
  const high = Math.min(visible, beforeCursor, query.before_index ?? visible);
  return { low, high };
}

/** The placements a range of indexes touches, each with its part, in the order asked for. */
export function rangesOf(
  placements: readonly LedgerPlacement[],
  { low, high }: { low: number; high: number },
  order: "asc" | "desc",
): { placement: LedgerPlacement; low: number; high: number }[] {
  const ranges = placements.flatMap((placement, n) => {
    const next = placements[n + 1]?.first_index ?? Number.MAX_SAFE_INTEGER;
    const part = { placement, low: Math.max(low, placement.first_index), high: Math.min(high, next) };
    return part.low < part.high ? [part] : [];
  });
  return order === "desc" ? ranges.reverse() : ranges;
}
