import { base64url } from "../chain/encoding.ts";
import { entryHash } from "../chain/leaf.ts";
import { leafOf } from "../chain/record.ts";
import { openSealed } from "../chain/open-sealed.ts";
import { assert } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import {
  PROJECT_MAX_BYTES,
  PROJECT_MAX_ENTRIES,
  PROJECT_PAUSE_MS,
  PROJECT_RETRY_MAX_MS,
  PROJECT_RETRY_MIN_MS,
} from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import { type Seen, seenOf } from "../store/action-seen.ts";
import { type Counter, counterOf } from "../store/counter.ts";
import { type ProjectableEntry, projectEntries } from "../store/cell.ts";
import { monthOf, slotOf } from "../store/slot.ts";
import { termsOf } from "../store/terms.ts";
import type { Core } from "./core.ts";
import { headMac } from "./head-mac.ts";
import { KeptDays } from "./kept-days.ts";
import { linesFrom } from "./lines.ts";
import { openPlacement, placementAt, projectedUpTo } from "./placements.ts";
import { emptyD1 } from "./rebuild.ts";
import { dropStaged } from "./staged.ts";

/** Copies sealed entries into D1, one run at a time, each exactly once: the cell's fence decides, not memory. */
export class Projector {
  readonly #core: Core;
  readonly #waiting = new Set<{ size: number; resolve: () => void }>();
  #running: Promise<void> | null = null;
  #failures = 0;
  #recheck = false;
  /** When the last batch began, and what ends the pause before the next one. */
  #beganAt = 0;
  #resume: (() => void) | null = null;
  /** When a failed run is tried again; null while all is well. */
  retryAt: number | null = null;
  readonly #behind: () => void;
  readonly #keptDays: KeptDays;

  /** `behind` is told when D1 is found to hold entries the ledger has not: it was rewound, and did not know when it started. */
  constructor(core: Core, behind: () => void) {
    this.#core = core;
    this.#keptDays = new KeptDays(core);
    this.#behind = behind;
  }

  /** Projects up to the head; never throws: a failure is counted and tried again with back-off. */
  run(): Promise<void> {
    if (this.#hurries()) this.#resume?.();
    this.#running ??= this.#loop().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Makes the next run ask D1 how far it is: it may have been restored under a ledger that idles. */
  doubt(): void {
    this.#recheck = true;
  }

  /** Resolves when entries below `size` are in D1, or after `ms`; answers how many are. */
  async waitFor(size: number, ms: number): Promise<number> {
    const reached = () => this.#core.state.projected ?? 0;
    if (reached() >= size) return reached();
    const { promise, resolve } = Promise.withResolvers<void>();
    const one = { size, resolve };
    this.#waiting.add(one);
    const timer = setTimeout(resolve, ms);
    void this.run();
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(one);
    return reached();
  }

  async #loop(): Promise<void> {
    const { state } = this.#core;
    try {
      // Storage says nothing of how far D1 is: after a start, and after any error, D1 is asked.
      const unsure = state.projected === null || this.#failures > 0 || this.#recheck;
      this.#recheck = false;
      let from = unsure ? await this.#askD1() : (state.projected ?? 0);
      while (state.rebuilding || from < state.head.size) {
        await this.#pause();
        from = state.rebuilding ? await this.#beginAnew() : await this.#projectOne(from);
        this.#wake();
      }
      this.#failures = 0;
      this.retryAt = null;
    } catch (error) {
      this.#failures++;
      const delay = Math.min(PROJECT_RETRY_MAX_MS, PROJECT_RETRY_MIN_MS * 2 ** (this.#failures - 1));
      this.retryAt = this.#core.now() + delay;
      count("audit_projection_failures_total");
      log("warn", { message: "entries not projected; will be tried again", org: state.org.org, error: String(error) });
    }
  }

  /** Whether nothing is to be gained by waiting for more entries. */
  #hurries(): boolean {
    const { head, projected, rebuilding } = this.#core.state;
    return this.#waiting.size > 0 || rebuilding || head.size - (projected ?? 0) >= PROJECT_MAX_ENTRIES;
  }

  /** Keeps small batches apart, so that what is sealed meanwhile shares the next one. */
  async #pause(): Promise<void> {
    const now = this.#core.now();
    const rest = Math.min(PROJECT_PAUSE_MS, this.#beganAt + PROJECT_PAUSE_MS - now);
    if (rest > 0 && !this.#hurries()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, rest);
      this.#resume = resolve;
      await promise;
      this.#resume = null;
      clearTimeout(timer);
    }
    this.#beganAt = this.#core.now();
  }

  /** Answers where to go on. */
  async #projectOne(from: number): Promise<number> {
    const { state, config } = this.#core;
    assert(!this.#core.retired, "what is staged is of the log that is projected");
    const { placement, until } = placementAt(state.placements, from);
    const found = await linesFrom(this.#core, from, Math.min(PROJECT_MAX_ENTRIES, until - from));
    assert(found !== null, "there are entries below the head");
    const cell = config.cells.get(placement.cell);
    if (cell === undefined) throw new Error(`binding ${placement.cell} is missing`);
    const entries = this.#prepare(found.lines);
    const days = [...new Set(entries.map(({ counter }) => counter.day))];
    const kept = await this.#keptDays.restore(cell, placement, { days, to: from + entries.length });
    const counted = entries.map((entry) => (kept.has(entry.counter.day) ? { ...entry, ...COUNTED } : entry));
    const { log: origin, org_number: orgNumber } = placement;
    const mac = headMac(config, state.org.log, headAfter({ from, entries }));
    const outcome = await projectEntries(cell, { log: origin, orgNumber, from, entries: counted, headMac: mac });
    if (outcome.kind === "stale") {
      // Another run of this ledger (before a crash) was here, or D1 was restored: its fence is the truth.
      return this.#askD1();
    }
    count("audit_rows_written_total", { store: "d1" }, outcome.rows_written);
    state.projected = from + entries.length;
    dropStaged(this.#core);
    if (outcome.size_bytes >= config.cellFullBytes) await openPlacement(this.#core, { after: placement });
    return state.projected;
  }

  /** How far D1 is. Throws when it is further than this ledger, which must not seal on then. */
  async #askD1(): Promise<number> {
    const { state } = this.#core;
    this.#keptDays.forget();
    const reached = await projectedUpTo(this.#core);
    const ahead = reached > state.head.size;
    state.projected = ahead ? null : reached;
    if (!ahead) return reached;
    this.#behind();
    throw new Error("D1 holds newer entries: the ledger was rewound");
  }

  async #beginAnew(): Promise<number> {
    // From here on nobody may take an entry for visible, whatever is still there.
    this.#core.state.projected = null;
    await emptyD1(this.#core);
    return this.#askD1();
  }

  #prepare(lines: readonly string[]): Countable[] {
    const entries: Countable[] = [];
    let bytes = 0;
    for (const line of lines) {
      const entry = openSealed(line);
      bytes += line.length;
      if (entries.length > 0 && bytes > PROJECT_MAX_BYTES) break;
      const slot = slotOf(monthOf(entry.leaf.sequenced_at));
      const terms = termsOf(this.#core.termKey, entry);
      entries.push({ line, terms, slot, counter: counterOf(entry), seen: seenOf(entry) });
    }
    return entries;
  }

  #wake(): void {
    const projected = this.#core.state.projected ?? 0;
    for (const { size, resolve } of this.#waiting) if (size <= projected) resolve();
  }
}

/** An entry whose counters are there already, as those of a kept day are. */
const COUNTED = { counter: null, seen: null };

type Countable = ProjectableEntry & { counter: Counter; seen: Seen };

/** The head of the log after these entries. */
function headAfter({ from, entries }: { from: number; entries: readonly ProjectableEntry[] }) {
  const leaf = leafOf(entries.at(-1)?.line ?? "");
  return { size: from + entries.length, prev: base64url(entryHash(sha256, leaf)) };
}
