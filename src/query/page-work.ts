import { entryText } from "../chain/open.ts";
import type { Config } from "../env.ts";
import { PAGE_MAX_BYTES, PAGE_MAX_ENTRIES, SEARCH_MAX_MS, SEARCH_MAX_POSTINGS } from "../limits.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { listEntries, type Row } from "../store/list-entries.ts";
import type { EntryFilter } from "../store/match.ts";
import { cellOf, monthsOf } from "./logs.ts";
import { matches } from "./matches.ts";
import type { ListQuery } from "./query.ts";
import { openRow } from "./row.ts";
import type { Span } from "./spans.ts";
import { knownTermKey } from "./term-key.ts";

/**
 * The work of one page, over one span after another. It is bounded as a whole: by entries found, bytes read, indexes
 * walked and time. What the index merely proposed counts as well, for it was read and opened like the rest.
 */
export class PageWork {
  readonly #config: Config;
  readonly #org: string;
  readonly #grant: ReadGrant;
  readonly #query: ListQuery;
  readonly #filter: EntryFilter;
  readonly #deadline = Date.now() + SEARCH_MAX_MS;
  readonly #indexes: number[] = [];
  #bytes = PAGE_MAX_BYTES;
  #postings = SEARCH_MAX_POSTINGS;
  #opened = 0;
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
    return full || this.#bytes <= 0 || this.#postings <= 0 || Date.now() > this.#deadline;
  }

  /** Lowest and highest index found: indexes in a trace are of the log it stands in. */
  get range(): { from: number; to: number } | null {
    const found = this.#indexes;
    return found.length === 0 ? null : { from: Math.min(...found), to: Math.max(...found) };
  }

  /** Takes what it finds in a span; answers the last index seen when it did not get to the end of it, else null. */
  async take(span: Span): Promise<number | null> {
    let slot: string | undefined;
    for (let rest = span; ; ) {
      const listed = await this.#read(rest, slot);
      const { rows, reached } = listed;
      for (const [n, row] of rows.entries()) {
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

  #add(row: Row, { log, placement, quarantine }: Span): void {
    this.#bytes -= row.line.length;
    this.#opened++;
    const { personal, restriction, number } = this.#grant;
    const read = openRow(row, { log: placement.log, personal, quarantine });
    // Of a row that cannot be read nobody knows whether the filter holds: it is shown rather than lost, but not to one
    // who may see some entries alone.
    const found = read.kind === "entry" ? matches(this.#filter, read.entry) : restriction === null;
    if (!found) return;
    this.texts.push(read.kind === "entry" ? entryText(read.entry) : read.text);
    if (log.number === number) this.#indexes.push(row.index);
  }
}

/** What of a span comes after an index. */
function beyond(span: Span, reached: number, order: ListQuery["order"]): Span {
  return order === "desc" ? { ...span, high: reached } : { ...span, low: reached + 1 };
}
