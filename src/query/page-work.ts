import { entryText } from "../chain/open.ts";
import type { Config } from "../env.ts";
import {
  COLD_PAGE_MAX_MS,
  COLD_PAGE_MAX_SEGMENTS,
  PAGE_MAX_BYTES,
  PAGE_MAX_ENTRIES,
  SEARCH_MAX_MS,
  SEARCH_MAX_POSTINGS,
} from "../limits.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { listEntries, type Row } from "../store/list-entries.ts";
import type { EntryFilter } from "../store/match.ts";
import { type ColdLines, coldLines } from "./cold-lines.ts";
import { cellOf, monthsOf } from "./logs.ts";
import { matches } from "./matches.ts";
import type { ListQuery } from "./query.ts";
import { openRow } from "./row.ts";
import type { Span } from "./spans.ts";
import { knownTermKey } from "./term-key.ts";

/** `cold`: from R2 alone. */
export type Tier = "hot" | "cold" | "both";

/**
 * The work of one page, over one span after another. It is bounded as a whole: by entries found, bytes read, indexes
 * walked and time. What the index merely proposed counts as well, for it was read and opened like the rest. Where entries are
 * in R2 alone there is no index: every one is opened, and how many segments are read is bounded instead.
 */
export class PageWork {
  readonly #config: Config;
  readonly #org: string;
  readonly #grant: ReadGrant;
  readonly #query: ListQuery;
  readonly #filter: EntryFilter;
  #deadline = Date.now() + SEARCH_MAX_MS;
  readonly #indexes: number[] = [];
  #bytes = PAGE_MAX_BYTES;
  #postings = SEARCH_MAX_POSTINGS;
  /** Those that an index proposed, or that were found without one. */
  #opened = 0;
  #segments = COLD_PAGE_MAX_SEGMENTS;
  readonly #tiers = new Set<Exclude<Tier, "both">>();
  readonly texts: string[] = [];

  constructor(
    config: Config,
    org: string,
    { grant, query, filter }: { grant: ReadGrant; query: ListQuery; filter: EntryFilter },
  ) {
    this.#config = config;
    this.#org = org;
    this.#grant = grant;
    this.#query = query;
    this.#filter = filter;
  }

  get spent(): boolean {
    const full = this.texts.length >= this.#query.limit;
    return full || this.#bytes <= 0 || this.#postings <= 0 || this.#segments <= 0 || Date.now() > this.#deadline;
  }

  /** Where the page was looked for. */
  get tier(): Tier {
    const [tier = "hot", other] = this.#tiers;
    return other === undefined ? tier : "both";
  }

  /** Lowest and highest index found: indexes in a trace are of the log it stands in. */
  get range(): { from: number; to: number } | null {
    const found = this.#indexes;
    return found.length === 0 ? null : { from: Math.min(...found), to: Math.max(...found) };
  }

  /** Takes what it finds in a span; answers the last index seen when it did not get to the end of it, else null. */
  async take(span: Span): Promise<number | null> {
    this.#tiers.add(span.cold ? "cold" : "hot");
    return span.cold ? this.#takeCold(span) : this.#takeHot(span);
  }

  async #takeHot(span: Span): Promise<number | null> {
    let slot: string | undefined;
    for (let rest = span; ; ) {
      const listed = await this.#read(rest, slot);
      const { rows, reached } = listed;
      for (const [n, row] of rows.entries()) {
        this.#bytes -= row.line.length;
        this.#opened++;
        this.#add(row, rest);
        const full = this.texts.length >= this.#query.limit;
        if (full && n < rows.length - 1) return row.index;
      }
      const next = reached === null ? null : beyond(rest, reached, this.#query.order);
      this.#postings -= rest.high - rest.low - (next === null ? 0 : next.high - next.low);
      if (next === null || next.low >= next.high) return null;
      if (this.spent) return reached;
      rest = next;
      slot = listed.slot;
    }
  }

  async #takeCold(span: Span): Promise<number | null> {
    // What is read from R2 has its own time, from when it begins.
    if (this.#segments === COLD_PAGE_MAX_SEGMENTS) this.#deadline = Date.now() + COLD_PAGE_MAX_MS;
    const { log, low, high } = span;
    const { order } = this.#query;
    const last = order === "desc" ? low : high - 1;
    const newest = log.number === this.#grant.number;
    for await (const run of coldLines(this.#config, this.#org, { log, newest, low, high, order })) {
      this.#segments--;
      for (const row of rowsOf(run, order)) {
        if (this.#add(row, span)) {
          this.#bytes -= row.line.length;
          this.#opened++;
        }
        const full = this.texts.length >= this.#query.limit || this.#bytes <= 0;
        if (row.index === last) return null;
        if (full) return row.index;
      }
      if (this.spent) return order === "desc" ? run.first : run.first + run.lines.length - 1;
    }
    return null;
  }

  #read({ log, placement, low, high, filter }: Span, slot: string | undefined) {
    const range = { placement, low, high, months: monthsOf(log) };
    return listEntries(cellOf(this.#config, placement), range, {
      termKey: knownTermKey(this.#config, this.#org),
      personal: this.#grant.personal,
      filter,
      order: this.#query.order,
      limit: this.#candidates(),
      max_bytes: this.#bytes,
      deadline_ms: this.#deadline,
      max_postings: this.#postings,
      slot,
    });
  }

  /** How many to ask for: what the page lacks, or where some did not hold, twice what that takes at their rate. */
  #candidates(): number {
    const found = this.texts.length;
    const lacks = this.#query.limit - found;
    if (this.#opened === found) return lacks;
    return Math.min(PAGE_MAX_ENTRIES, Math.ceil((2 * lacks * this.#opened) / Math.max(found, 0.5)));
  }

  /** Answers whether the row belongs to the page. */
  #add(row: Row, { log, placement, quarantine }: Span): boolean {
    const { personal, restriction, number } = this.#grant;
    const read = openRow(row, { log: placement.log, personal, quarantine });
    // Of a row that cannot be read nobody knows whether the filter holds: it is shown rather than lost, but not to one
    // who may see some entries alone.
    const found = read.kind === "entry" ? matches(this.#filter, read.entry) : restriction === null;
    if (!found) return false;
    this.texts.push(read.kind === "entry" ? entryText(read.entry) : read.text);
    if (log.number === number) this.#indexes.push(row.index);
    return true;
  }
}

function rowsOf({ first, lines }: ColdLines, order: ListQuery["order"]): Row[] {
  const rows = lines.map((line, n) => ({ index: first + n, line }));
  return order === "desc" ? rows.reverse() : rows;
}

/** What of a span comes after an index. */
function beyond(span: Span, reached: number, order: ListQuery["order"]): Span {
  return order === "desc" ? { ...span, high: reached } : { ...span, low: reached + 1 };
}
