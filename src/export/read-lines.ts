import { LostSegment, readSegment, type Segment } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { segmentsAlong } from "../query/name-segments.ts";
import {
  READ_TOGETHER_MAX_ENTRIES,
  READ_TOGETHER_SEGMENTS,
  EXPORT_SEGMENTS_COUNT,
  LOG_MAX_ENTRIES,
} from "../limits.ts";

/**
 * `gap`: entries that no segment holds, up to `next`, or (null) to the end. A log that takes entries has none. `lost`: entries
 * up to `next` whose segments, of these `names`, are not as they were stored.
 */
type Read =
  | { kind: "lines"; lines: string[] }
  | { kind: "gap"; next: number | null }
  | { kind: "lost"; next: number; names: string[] };

type Log = { number: number; log: string; newest: boolean };

type Held = { lines: string[] } | { why: unknown };

/**
 * Reads the record lines of a log from its segments in R2, which name what they hold, in order and some small ones ahead. Of
 * the newest log the ledger says which they are; of one that was continued R2 itself, which may hold entries twice.
 */
export class LineReader {
  readonly #config: Config;
  readonly #org: string;
  readonly #log: Log;
  #named: Segment[] = [];
  /** What was asked of R2 and is still to be taken, by name. */
  readonly #asked = new Map<string, Promise<Held>>();
  /** Those of them that were named still when it was known that they cannot be read. */
  #lost = new Set<string>();

  constructor(config: Config, org: string, log: Log) {
    this.#config = config;
    this.#org = org;
    this.#log = log;
  }

  /** What there is from entry `index` on, as far as one segment goes; throws when a store does not answer. */
  async from(index: number): Promise<Read> {
    for (;;) {
      const read = await this.#read(index);
      if (read.kind !== "lost" || read.names.every((name) => this.#lost.has(name))) return read;
      await this.#nameAnew(index);
    }
  }

  /** One that was rewritten meanwhile has another name by now. Asked once for all that failed beside it: lost ones seldom come alone. */
  async #nameAnew(index: number): Promise<void> {
    const failed: string[] = [];
    for (const [name, held] of this.#asked) if (isLost(await held)) failed.push(name);
    this.#named = await this.#name(index);
    const named = new Set(this.#named.map(({ name }) => name));
    for (const name of this.#asked.keys()) if (!named.has(name)) this.#asked.delete(name);
    this.#lost = new Set(failed.filter((name) => named.has(name)));
  }

  async #read(index: number): Promise<Read> {
    const holding = ({ first, last }: Segment) => first <= index && last >= index;
    if (!this.#named.some(holding)) this.#named = await this.#name(index);
    const held = this.#named.filter(holding);
    if (held.length === 0) {
      if (this.#log.newest) throw new Error(`entry ${index} is in no segment`);
      return { kind: "gap", next: this.#nextAfter(index) };
    }
    for (const segment of held) {
      this.#askAhead(index);
      const read = await this.#ask(segment);
      if ("lines" in read) return { kind: "lines", lines: read.lines.slice(index - segment.first) };
      // One that is damaged may have a copy; one that did not answer may be whole.
      if (!isLost(read)) throw read.why;
    }
    const ends = held.map(({ last }) => last + 1);
    const next = Math.min(...ends, this.#nextAfter(index) ?? LOG_MAX_ENTRIES);
    return { kind: "lost", next, names: held.map(({ name }) => name) };
  }

  /** Has R2 asked for the segments that come next as well: those of a quiet log hold one entry each. */
  #askAhead(index: number): void {
    const next = this.#named.filter(({ last }) => last >= index).slice(0, READ_TOGETHER_SEGMENTS);
    for (const name of this.#asked.keys()) if (!next.some((one) => one.name === name)) this.#asked.delete(name);
    let entries = 0;
    for (const segment of next) {
      entries += segment.last - segment.first + 1;
      if (entries > READ_TOGETHER_MAX_ENTRIES) break;
      void this.#ask(segment);
    }
  }

  #ask(segment: Segment): Promise<Held> {
    const asked = this.#asked.get(segment.name) ?? readHeld(this.#config.archive, segment);
    this.#asked.set(segment.name, asked);
    return asked;
  }

  #nextAfter(index: number): number | null {
    const beyond = this.#named.map(({ first }) => first).filter((first) => first > index);
    return beyond.length === 0 ? null : Math.min(...beyond);
  }

  #name(index: number): Promise<Segment[]> {
    const { number, log, newest } = this.#log;
    return segmentsAlong(this.#config, this.#org, {
      log: { number, log },
      newest,
      low: index,
      high: LOG_MAX_ENTRIES,
      order: "asc",
      limit: EXPORT_SEGMENTS_COUNT,
    });
  }
}

function isLost(held: Held): boolean {
  return "why" in held && held.why instanceof LostSegment;
}

async function readHeld(bucket: R2Bucket, segment: Segment): Promise<Held> {
  try {
    return { lines: await readSegment(bucket, segment) };
  } catch (why) {
    return { why };
  }
}
