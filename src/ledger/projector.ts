import { openSealed } from "../chain/open-sealed.ts";
import { assert } from "../errors.ts";
import { PROJECT_MAX_BYTES, PROJECT_MAX_ENTRIES, PROJECT_RETRY_MAX_MS, PROJECT_RETRY_MIN_MS } from "../limits.ts";
import { count } from "../meter.ts";
import type { LedgerPlacement } from "../schema/ledger.ts";
import { counterOf } from "../store/counter.ts";
import { type ProjectableEntry, projectEntries } from "../store/cell.ts";
import { monthOf, slotOf } from "../store/slot.ts";
import { termsOf } from "../store/terms.ts";
import type { Core } from "./core.ts";
import { linesFrom } from "./lines.ts";
import { openPlacement, projectedUpTo } from "./placements.ts";
import { dropStaged } from "./staged.ts";

/** Copies sealed entries into D1, one run at a time, each exactly once: the cell's fence decides, not memory. */
export class Projector {
  readonly #core: Core;
  readonly #waiting: { size: number; resolve: () => void }[] = [];
  #running: Promise<void> | null = null;
  #failures = 0;
  /** When a failed run is tried again; null while all is well. */
  retryAt: number | null = null;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Projects up to the head; never throws: a failure is counted and tried again with back-off. */
  run(): Promise<void> {
    this.#running ??= this.#loop().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Runs `change` while nothing is projected; afterwards D1 is asked anew how far it is. */
  async pausedFor(change: () => Promise<void>): Promise<void> {
    while (this.#running !== null) await this.#running;
    this.#running = change().finally(() => {
      this.#running = null;
      this.#core.state.projected = null;
    });
    await this.#running;
  }

  /** Resolves when entries below `size` are in D1, or after `ms`; answers how many are. */
  async waitFor(size: number, ms: number): Promise<number> {
    if ((this.#core.state.projected ?? 0) < size) {
      const timer = { id: null as ReturnType<typeof setTimeout> | null };
      const waited = new Promise<void>((resolve) => {
        this.#waiting.push({ size, resolve });
        timer.id = setTimeout(resolve, ms);
      });
      void this.run();
      await waited;
      if (timer.id !== null) clearTimeout(timer.id);
    }
    return this.#core.state.projected ?? 0;
  }

  async #loop(): Promise<void> {
    const { state } = this.#core;
    try {
      // Storage says nothing of how far D1 is: after a start, and after any error, D1 is asked.
      if (state.projected === null || this.#failures > 0) state.projected = await projectedUpTo(this.#core);
      while (state.projected < state.head.size) {
        await this.#projectOne(state.projected);
        this.#wake();
      }
      this.#failures = 0;
      this.retryAt = null;
    } catch (error) {
      this.#failures++;
      const delay = Math.min(PROJECT_RETRY_MAX_MS, PROJECT_RETRY_MIN_MS * 2 ** (this.#failures - 1));
      this.retryAt = this.#core.now() + delay;
      count("audit_projection_failures_total");
      console.warn({ message: "entries not projected; will be tried again", org: state.org.org, error: String(error) });
    }
  }

  async #projectOne(from: number): Promise<void> {
    const { state, config } = this.#core;
    const { placement, until } = placementAt(state.placements, from);
    const found = await linesFrom(this.#core, from, Math.min(PROJECT_MAX_ENTRIES, until - from));
    assert(found !== null, "there are entries below the head");
    const entries = this.#prepare(found.lines);
    const cell = config.cells.get(placement.cell);
    if (cell === undefined) throw new Error(`binding ${placement.cell} is missing`);
    const outcome = await projectEntries(cell, { orgNumber: placement.org_number, from, entries });
    if (outcome.kind === "stale") {
      // Another run of this ledger (before a crash) was here, or D1 was restored: its fence is the truth.
      state.projected = await projectedUpTo(this.#core);
      return;
    }
    count("audit_rows_written_total", { store: "d1" }, outcome.rows_written);
    state.projected = from + entries.length;
    dropStaged(this.#core);
    if (outcome.size_bytes >= config.cellFullBytes) await openPlacement(this.#core, { after: placement });
  }

  #prepare(lines: readonly string[]): ProjectableEntry[] {
    const entries: ProjectableEntry[] = [];
    let bytes = 0;
    for (const line of lines) {
      const entry = openSealed(line);
      bytes += line.length;
      if (entries.length > 0 && bytes > PROJECT_MAX_BYTES) break;
      const slot = slotOf(monthOf(entry.leaf.sequenced_at));
      entries.push({ line, terms: termsOf(this.#core.termKey, entry), slot, counter: counterOf(entry) });
    }
    return entries;
  }

  #wake(): void {
    const projected = this.#core.state.projected ?? 0;
    for (let n = this.#waiting.length - 1; n >= 0; n--) {
      const one = this.#waiting[n];
      if (one === undefined || one.size > projected) continue;
      this.#waiting.splice(n, 1);
      one.resolve();
    }
  }
}

/** The placement that holds `index`, and the first index of the next one. */
function placementAt(placements: readonly LedgerPlacement[], index: number) {
  const next = placements.findIndex(({ first_index }) => first_index > index);
  const placement = placements.at(next === -1 ? -1 : next - 1);
  assert(placement !== undefined && placement.first_index <= index, "every index has a placement");
  return { placement, until: placements[next]?.first_index ?? Number.MAX_SAFE_INTEGER };
}
