import { type Order, type PageRow, pageStatement, type Row, type Span, spansOf, spansStatement } from "./entry-page.ts";
import { type EntryFilter, matchOf } from "./match.ts";
import { indexOf, rangeOf } from "./placement.ts";
import { type Page, ReadAhead } from "./read-ahead.ts";
import type { PlacementRange } from "./read-entries.ts";
import { runsOf } from "./runs.ts";
import { slotsDescending } from "./slot.ts";
import type { TermKey } from "./token.ts";

export type { Row } from "./entry-page.ts";
export { findEntries, readEntries, readEntry, type StoredRow } from "./read-entries.ts";

/**
 * `max_bytes`: of record lines; a single larger one is still answered. `deadline_ms`: instant after which nothing more is
 * begun. `max_postings`: how many indexes a filter may walk. `slot`: where a walk that goes on stands.
 */
export type ListOptions = {
  termKey: TermKey;
  /** Whether words of personal sections may be looked at. */
  personal: boolean;
  filter: EntryFilter;
  order: Order;
  limit: number;
  max_bytes: number;
  deadline_ms: number;
  max_postings: number;
  slot?: string | undefined;
};

/** `reached`: the index to go on from, itself seen already, in the order asked for, and its slot; null when the range is exhausted. */
export type Listed = { rows: Row[]; reached: number | null; slot?: string };

/**
 * Candidates for a filter, in order of index: the caller opens each and checks it. The work is bounded, so a page may be
 * short or empty though `reached` is not null; each call gets on by at least one index. One statement for each run of a
 * slot, several of which are asked for at once where little was found, and one more where months 16 apart share a slot.
 */
export async function listEntries(
  cell: D1Database,
  range: PlacementRange,
  { termKey, personal, filter, order, limit, max_bytes, deadline_ms, max_postings, slot }: ListOptions,
): Promise<Listed> {
  const { org_number } = range.placement;
  const bounds = rangeOf(org_number, range.low, range.high);
  const slots = slotsDescending({ fromMonth: range.months.from, toMonth: range.months.to });
  const [first] = order === "desc" ? slots : slots.reverse();
  if (bounds.low >= bounds.high || first === undefined) return { rows: [], reached: null };
  const match = matchOf({ termKey, personal }, filter);
  const postings = match === null ? Infinity : max_postings;
  const page: Page = { rows: [], limit, bytes: max_bytes, postings, walked: 0 };
  const ahead = new ReadAhead(cell, { order, match });

  // Most pages end in the slot they begin in: it is read together with the bounds of all. Indexes are dense: without a filter
  // a page needs as many keys as rows, and what an older month left in that slot is not read.
  const guess = windowOf(
    { slot: slot ?? first, ...bounds },
    { order, postings: match === null ? limit : max_postings },
  );
  const [found, guessed] = await cell.batch([
    spansStatement(cell, slots, bounds),
    pageStatement(cell, guess, { order, match, limit, max_bytes, force: true }),
  ]);
  const spans = spansOf(found?.results[0] as Record<string, number | null> | undefined, slots);
  let answer: PageRow[] | null = (guessed?.results ?? []) as PageRow[];

  for await (const { run, ahead: others, last } of runsOf(cell, spans, { ...bounds, order })) {
    for (let rest: Span | null = run; rest !== null; ) {
      let window: Span = windowOf(rest, { order, postings: page.postings });
      const seen: Span | null = answer === null ? null : overlapOf(guess, rest);
      if (seen === null) answer = await ahead.read(window, page, rest === run ? others : []);
      else window = seen;
      const cutAt: number | null = addRows(page, rowsUpTo(window, answer ?? [], order), org_number);
      answer = null;
      if (cutAt !== null) return { rows: page.rows, reached: cutAt, slot: run.slot };
      page.postings -= window.high - window.low;
      page.walked += window.high - window.low;
      const edge = indexOf(org_number, order === "desc" ? window.low : window.high - 1);
      rest = restOf(rest, window, order);
      if (rest === null && last) break;
      const spent = page.rows.length >= limit || page.postings <= 0 || page.bytes <= 0 || Date.now() > deadline_ms;
      if (spent) return { rows: page.rows, reached: edge, slot: run.slot };
    }
  }
  return { rows: page.rows, reached: null };
}

/**
 * Rows without those past a window: a guess may reach into a later run of its slot. What lies before the window stays: a
 * term row whose entry is gone lies there, and it took of the limit what the rows after it lack.
 */
function rowsUpTo(window: Span, rows: readonly PageRow[], order: Order): PageRow[] {
  return rows.filter(({ key }) => (order === "desc" ? key >= window.low : key < window.high));
}

/** Takes the rows that fit; answers the last index seen when there was one that did not, else null. */
function addRows(page: Page, answer: readonly PageRow[], orgNumber: number): number | null {
  let seen: number | null = null;
  let through = 0;
  for (const row of answer) {
    if (row.fits === 0) {
      page.bytes -= through;
      return seen ?? page.rows.at(-1)?.index ?? null;
    }
    seen = indexOf(orgNumber, row.key);
    through = row.through;
    // A term row whose entry is gone has no record: verification names it, a list passes over it.
    if (row.record !== null) page.rows.push({ index: seen, line: row.record });
  }
  page.bytes -= through;
  return null;
}

/** The part of a span that is walked next, from the end where the order begins. */
function windowOf({ slot, low, high }: Span, { order, postings }: { order: Order; postings: number }): Span {
  return order === "desc"
    ? { slot, low: Math.max(low, high - postings), high }
    : { slot, low, high: Math.min(high, low + postings) };
}

function restOf(span: Span, walked: Span, order: Order): Span | null {
  const rest = order === "desc" ? { ...span, high: walked.low } : { ...span, low: walked.high };
  return rest.low < rest.high ? rest : null;
}

/** The part of `span` that a statement over `read` answered for; null when it answered for none. */
function overlapOf(read: Span, span: Span): Span | null {
  const low = Math.max(read.low, span.low);
  const high = Math.min(read.high, span.high);
  return read.slot === span.slot && low < high ? { slot: span.slot, low, high } : null;
}
