import { listSegments, LostSegment, readSegment, type Segment } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { EXPORT_SEGMENTS_COUNT, SEGMENT_MAX_ENTRIES } from "../limits.ts";
import { callLedger } from "../ledger/client.ts";

type Log = { number: number; log: string; newest: boolean };

/**
 * Reads the record lines of a log from its segments in R2, which name what they hold. Of the newest log the ledger says
 * which they are; of one that was continued R2 itself, which may hold entries twice.
 */
export class LineReader {
  readonly #config: Config;
  readonly #org: string;
  readonly #log: Log;
  #named: Segment[] = [];

  constructor(config: Config, org: string, log: Log) {
    this.#config = config;
    this.#org = org;
    this.#log = log;
  }

  /** The lines of entries from `index` on, as far as one segment goes; throws when no segment holds them. */
  async from(index: number): Promise<string[]> {
    const holding = ({ first, last }: Segment) => first <= index && last >= index;
    if (!this.#named.some(holding)) this.#named = await this.#name(index);
    let damaged: unknown = new LostSegment(`entry ${index} of ${this.#log.log} is in no segment`);
    for (const segment of this.#named.filter(holding)) {
      try {
        return (await readSegment(this.#config.archive, segment)).slice(index - segment.first);
      } catch (error) {
        // One that was rewritten meanwhile has another name by now; one that is damaged may have a copy.
        damaged = error;
      }
    }
    this.#named = [];
    throw damaged;
  }

  async #name(index: number): Promise<Segment[]> {
    const { log, newest } = this.#log;
    if (!newest) {
      const from = Math.max(0, index - SEGMENT_MAX_ENTRIES + 1);
      return listSegments(this.#config.archive, { log, from, limit: SEGMENT_MAX_ENTRIES });
    }
    const named = await callLedger(this.#config, this.#org, async (ledger) => {
      return await ledger.segments(this.#org, index, EXPORT_SEGMENTS_COUNT);
    });
    if (!named.ok) throw new Error(named.refusal.detail);
    return named.value;
  }
}
