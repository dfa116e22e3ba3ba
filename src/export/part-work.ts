import { partName, putExportFile, readExportFile } from "../archive/export.ts";
import { withProof } from "../chain/export-line.ts";
import { type OpenedEntry, openEntry, withholdOthers } from "../chain/open.ts";
import type { ExportPart } from "../chain/export-manifest.ts";
import { type EntryRecord, leafOf } from "../chain/record.ts";
import type { Config } from "../env.ts";
import { assert } from "../errors.ts";
import { EXPORT_LINE_MAX_BYTES, EXPORT_PART_MAX_BYTES, EXPORT_PART_MIN_BYTES } from "../limits.ts";
import type { ExportRequest, SectionKind } from "../schema/export.ts";
import { sha256 } from "../sha256.ts";
import { CSV_HEAD, csvEntry } from "./csv.ts";
import type { ExportProgress } from "./progress.ts";

/** What a row is made of, as its reader may see it; `entry` where it was opened already. */
type Found = { index: number; record: EntryRecord; entry: OpenedEntry | null };

/** Proves entry `index` of a log, whose leaf this is; null where nothing can be proven. */
type Prove = (log: number, index: number, leaf: string) => Promise<Uint8Array[] | null>;

export const FILE_TYPES = { ndjson: "application/x-ndjson", csv: "text/csv; charset=utf-8" } as const;

type Made = { request: ExportRequest; prove: Prove; progress: ExportProgress };

/** Where the files of an export lie. */
type Place = { org: string; id: string };

/** The last part, where it is to be gone on with. */
export function openPart({ parts }: Pick<ExportProgress, "parts">): ExportPart | null {
  const last = parts.at(-1);
  return last !== undefined && last.bytes < EXPORT_PART_MIN_BYTES ? last : null;
}

/** Gathers the rows of one part of an export's file in memory. What comes of it is in `progress`, which it moves. */
export class PartWork {
  readonly #request: ExportRequest;
  readonly #prove: Prove;
  readonly #progress: ExportProgress;
  /** The part this goes on with; null for a new one. */
  #begun: ExportPart | null = null;
  #held: Uint8Array = new Uint8Array();
  readonly #texts: string[] = [];
  #bytes = 0;
  #rows = 0;

  private constructor({ request, prove, progress }: Made) {
    this.#request = request;
    this.#prove = prove;
    this.#progress = progress;
    if (request.format === "csv" && progress.parts.length === 0) this.#write(CSV_HEAD);
  }

  /** Goes on with the last part while it is short; one that is not as it was stored is found out at the end, with the others. */
  static async open(config: Config, place: Place, made: Made): Promise<PartWork> {
    const work = new PartWork(made);
    const part = openPart(made.progress);
    const held = part === null ? null : await readExportFile(config.archive, place, part);
    if (held === null) return work;
    work.#begun = part;
    work.#bytes = held.length;
    work.#held = held;
    return work;
  }

  /** Whether another row may not fit any more. */
  get full(): boolean {
    return this.#bytes + EXPORT_LINE_MAX_BYTES > EXPORT_PART_MAX_BYTES;
  }

  /** Adds a row of log number `log`. Rows come in the order of their logs and indexes. */
  async add(log: number, { index, record, entry }: Found): Promise<void> {
    const { format, sections } = this.#request;
    const shown = sections === null ? record : withholdOthers(record, (name) => sections.includes(kindOf(name)));
    const share = this.#progress.logs.find(({ number }) => number === log);
    assert(share !== undefined, "rows are of logs that are exported");
    if (format === "ndjson") {
      await this.#release({ log, index });
      this.#progress.held = { log, index, text: JSON.stringify(shown) };
    } else {
      this.#write(csvEntry(entry !== null && shown === record ? entry : openedOf(shown)));
      this.#rows++;
    }
    share.first ??= index;
    share.last = index;
    share.rows++;
    this.#progress.rows++;
  }

  /** Lets go of the row that waited for the next one, or (null) for the end. It stands under the proof of the row that follows it, or its own. */
  async #release(next: { log: number; index: number } | null): Promise<void> {
    const { held } = this.#progress;
    if (held === null) return;
    this.#progress.held = null;
    const followed = held.log === next?.log && held.index + 1 === next.index;
    const proof = followed ? null : await this.#prove(held.log, held.index, leafOf(held.text));
    this.#write(`${proof === null ? held.text : withProof(held.text, proof)}\n`);
    this.#rows++;
  }

  /** Stores what there is as the part it goes on with, or the next: with `last`, also the row that waits. */
  async store(config: Config, place: Place, { last }: { last: boolean }): Promise<void> {
    if (last) await this.#release(null);
    if (this.#texts.length === 0) return;
    const { parts } = this.#progress;
    const { format } = this.#request;
    const begun = this.#begun;
    const name = begun?.name ?? partName(parts.length + 1, format);
    const bytes = Buffer.concat([this.#held, Buffer.from(this.#texts.join(""))]);
    const stored = await putExportFile(config.archive, place, { name, bytes, type: FILE_TYPES[format] });
    parts.splice(begun === null ? parts.length : -1, 1, { ...stored, rows: this.#rows + (begun?.rows ?? 0) });
    this.#progress.bytes += stored.bytes - (begun?.bytes ?? 0);
  }

  #write(text: string): void {
    this.#texts.push(text);
    this.#bytes += Buffer.byteLength(text);
  }
}

/** `target/3/detail` is of the kind `target/detail`. */
function kindOf(name: string): SectionKind {
  return name.replace(/^target\/\d+/, "target") as SectionKind;
}

function openedOf(record: EntryRecord): OpenedEntry {
  const opened = openEntry(sha256, record);
  assert(opened.ok, "an entry with less of it can still be opened");
  return opened.entry;
}
