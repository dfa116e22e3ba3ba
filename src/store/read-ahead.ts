import { SEARCH_BATCH_MAX_POSTINGS, SEARCH_BATCH_MAX_RUNS } from "../limits.ts";
import { type Order, type PageRow, pageStatement, type Row, type Span } from "./entry-page.ts";

/** What a call has gathered, what it may still take, and how many keys it has walked. */
export type Page = { rows: Row[]; limit: number; bytes: number; postings: number; walked: number };

/**
 * Reads windows of keys one after another. Where the runs that follow will not fill the page either, going by what was found,
 * they are read with it in one call: a rare value costs two or three calls, not one for every month.
 */
export class ReadAhead {
  readonly #cell: D1Database;
  readonly #asked: { order: Order; match: string | null };
  readonly #known = new Map<string, PageRow[]>();

  constructor(cell: D1Database, asked: { order: Order; match: string | null }) {
    this.#cell = cell;
    this.#asked = asked;
  }

  /** The rows of a window, as far as the page takes them. `following`: the runs after it. */
  async read(window: Span, page: Page, following: readonly Span[]): Promise<PageRow[]> {
    const known = this.#known.get(nameOf(window));
    // What was read before other rows came onto the page may be more than it takes now.
    if (known !== undefined && fits(known, page)) return known;
    const also = this.#alsoWorth(window, page, following);
    const limit = page.limit - page.rows.length;
    const force = page.rows.length === 0;
    const share = Math.floor(page.bytes / (also.length + 1));
    const [own, ...others] = await this.#cell.batch<PageRow>([
      pageStatement(this.#cell, window, { ...this.#asked, limit, max_bytes: page.bytes, force }),
      ...also.map((run) => pageStatement(this.#cell, run, { ...this.#asked, limit, max_bytes: share, force: false })),
    ]);
    for (const [n, run] of also.entries()) this.#known.set(nameOf(run), others[n]?.results ?? []);
    return own?.results ?? [];
  }

  #alsoWorth(window: Span, { rows, limit, postings, walked }: Page, following: readonly Span[]): Span[] {
    const lacks = limit - rows.length;
    const most = Math.min(postings, SEARCH_BATCH_MAX_POSTINGS);
    const rate = this.#asked.match === null ? 1 : rows.length / Math.max(walked, 1);
    const also: Span[] = [];
    let keys = window.high - window.low;
    for (const run of following) {
      keys += run.high - run.low;
      const expected = rate * (keys - run.high + run.low);
      if (also.length === SEARCH_BATCH_MAX_RUNS - 1 || expected >= lacks || keys > most) break;
      also.push(run);
    }
    return also;
  }
}

function fits(rows: readonly PageRow[], page: Page): boolean {
  const all = rows.every((row) => row.fits === 1) && rows.length <= page.limit - page.rows.length;
  return all && (rows.at(-1)?.through ?? 0) <= page.bytes;
}

function nameOf({ slot, low, high }: Span): string {
  return `${slot} ${low} ${high}`;
}
