import { putSegment } from "../archive/segment.ts";
import {
  ARCHIVE_PATIENT_BYTES,
  R2_ANSWER_MS,
  SEGMENT_MAX_AGE_MS,
  SEGMENT_MAX_BYTES,
  SEGMENT_MAX_ENTRIES,
} from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import { within } from "../within.ts";
import type { Core } from "./core.ts";
import { headMac } from "./head-mac.ts";
import { dropStaged, recordSegment, type StagedRow } from "./staged.ts";

/** Writes staged rows into R2 segments, one run at a time. A segment is made of whole staged rows. */
export class Archiver {
  readonly #core: Core;
  #running: Promise<void> | null = null;
  /** When a failed run is tried again. */
  retryAt: number | null = null;
  /** Entries below are archived whether they are due or not. */
  #target = 0;
  /** Where a segment ends that R2 may hold although its put failed: the same one is tried again, so that none is left over. */
  #triedTo: number | null = null;

  constructor(core: Core) {
    this.#core = core;
  }

  /** When a segment is due by age; null when everything is archived. */
  dueAt(): number | null {
    const oldest = this.#core.state.oldestUnarchivedAt;
    return oldest === null ? null : Math.max(oldest + SEGMENT_MAX_AGE_MS, this.retryAt ?? 0);
  }

  /** Whether archiving cannot wait for projection any longer. */
  pressing(): boolean {
    const dueAt = this.dueAt();
    const aged = dueAt !== null && this.#core.now() >= dueAt;
    return aged || this.#core.state.unarchivedBytes >= ARCHIVE_PATIENT_BYTES;
  }

  /** Archives what is due (with `force`, all there is now); never throws: a failure is counted and tried again. */
  run({ force }: { force: boolean }): Promise<void> {
    if (force) this.#target = this.#core.state.head.size;
    this.#running ??= this.#loop().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Archives the entries below `size`; throws when they are not in segments afterwards. */
  async archiveTo(size: number): Promise<void> {
    const { state } = this.#core;
    // The first may join a run that had just ended.
    for (let turn = 0; turn < 2 && state.archived < size; turn++) {
      this.#target = Math.max(this.#target, size);
      await this.run({ force: false });
      if (this.retryAt !== null) break;
    }
    if (state.archived < size) throw new Error(`entries below ${size} are not archived`);
  }

  async #loop(): Promise<void> {
    const { state } = this.#core;
    try {
      while (state.archived < state.head.size && (state.archived < this.#target || this.#due())) {
        await this.#archiveOne();
        this.retryAt = null;
      }
    } catch (error) {
      this.#target = 0;
      this.retryAt = this.#core.now() + SEGMENT_MAX_AGE_MS / 4;
      count("audit_archive_failures_total");
      log("warn", { message: "segment not archived; will be tried again", org: state.org.org, error: String(error) });
    }
  }

  #due(): boolean {
    const { state } = this.#core;
    // R2 is not asked with every append while it is down: each time a whole segment would be put together.
    if (this.retryAt !== null && this.#core.now() < this.retryAt) return false;
    const dueAt = this.dueAt();
    if (state.head.size - state.archived >= SEGMENT_MAX_ENTRIES) return true;
    return state.unarchivedBytes >= SEGMENT_MAX_BYTES || (dueAt !== null && this.#core.now() >= dueAt);
  }

  async #archiveOne(): Promise<void> {
    const { state, config } = this.#core;
    const rows = this.#nextRows();
    const lines = rows.flatMap((row) => row.lines.split("\n"));
    this.#triedTo = state.archived + lines.length;
    const { log: origin } = state.org;
    const mac = headMac(config, origin, { size: this.#triedTo, prev: rows.at(-1)?.head ?? "" });
    const put = putSegment(config.archive, { log: origin, first: state.archived, lines, headMac: mac });
    const segment = await within(R2_ANSWER_MS, put);
    // A crash here leaves the segment in R2 and the rows staged: the start-up comparison adopts it.
    recordSegment(this.#core, segment, rows);
    this.#triedTo = null;
    dropStaged(this.#core);
  }

  #nextRows(): StagedRow[] {
    const rows: StagedRow[] = [];
    let entries = 0;
    let bytes = 0;
    const staged = this.#core.storage.sql.exec<StagedRow>(
      "select first, count, bytes, head, sequenced_at, lines from staged where first >= ? order by first",
      this.#core.state.archived,
    );
    for (const row of staged) {
      entries += row.count;
      bytes += row.bytes;
      const full = entries > SEGMENT_MAX_ENTRIES || bytes > SEGMENT_MAX_BYTES || row.first === this.#triedTo;
      if (rows.length > 0 && full) break;
      rows.push(row);
    }
    return rows;
  }
}
