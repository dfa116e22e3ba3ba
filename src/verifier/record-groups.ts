import type { Sha256 } from "../chain/sha256.ts";
import { TILE_WIDTH } from "../chain/tile.ts";
import { VERIFIER_AHEAD_BYTES, VERIFIER_AHEAD_RECORDS } from "../limits.ts";
import { type EntryRow, rowOfLine } from "./entry-row.ts";

/** A record line without its line end; `place` says where it lies, for reports. */
export type RecordLine = { line: string; place: string };

/**
 * Record lines by the tile their entries are in. The lines of a log come about in order, oldest first: so many may lie
 * ahead of the tile that is asked for, and are kept; what comes later than its tile is `late`.
 */
export class RecordGroups {
  readonly #sha256: Sha256;
  readonly #log: string;
  readonly #lines: AsyncIterator<RecordLine>;
  readonly #kept = new Map<number, EntryRow[]>();
  #keptRecords = 0;
  #keptBytes = 0;
  #next = 0;
  #ended = false;

  constructor(sha256: Sha256, { log, lines }: { log: string; lines: AsyncIterable<RecordLine> }) {
    this.#sha256 = sha256;
    this.#log = log;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** The rows of a tile; tiles are asked for in order. */
  async tile(index: number): Promise<{ rows: EntryRow[]; late: EntryRow[] }> {
    const late: EntryRow[] = [];
    while (!this.#ended && this.#keptRecords < VERIFIER_AHEAD_RECORDS && this.#keptBytes < VERIFIER_AHEAD_BYTES) {
      const row = await this.#read();
      if (row !== null && Math.floor(row.at / TILE_WIDTH) < index) late.push(row);
      else if (row !== null) this.#keep(row);
    }
    const rows = this.#kept.get(index) ?? [];
    this.#kept.delete(index);
    this.#keptRecords -= rows.length;
    if (this.#keptRecords === 0) this.#keptBytes = 0;
    else this.#keptBytes = Math.max(0, this.#keptBytes - bytesOf(rows));
    return { rows, late };
  }

  /** What is left once every tile was asked for, a part at a time. */
  async *rest(): AsyncGenerator<EntryRow> {
    for (const rows of this.#kept.values()) yield* rows;
    for (let row = await this.#read(); !this.#ended; row = await this.#read()) if (row !== null) yield row;
  }

  async #read(): Promise<EntryRow | null> {
    const { value, done } = await this.#lines.next();
    if (done === true) {
      this.#ended = true;
      return null;
    }
    const row = rowOfLine(this.#sha256, { log: this.#log, next: this.#next, ...value });
    this.#next = row.at + 1;
    return row;
  }

  #keep(row: EntryRow): void {
    const tile = Math.floor(row.at / TILE_WIDTH);
    const rows = this.#kept.get(tile);
    if (rows === undefined) this.#kept.set(tile, [row]);
    else rows.push(row);
    this.#keptRecords++;
    this.#keptBytes += bytesOf([row]);
  }
}

/** About what rows weigh: their texts. */
function bytesOf(rows: readonly EntryRow[]): number {
  let bytes = 0;
  for (const { record } of rows) {
    bytes += record?.leaf?.length ?? 0;
    for (const name in record?.sections) bytes += record.sections[name]?.text.length ?? 0;
  }
  return bytes;
}
