import { type KeptPart, listKeptDays, readKeptCounters } from "../archive/kept-counters.ts";
import type { LedgerPlacement } from "../schema/ledger.ts";
import { utcDay } from "../schema/policy.ts";
import { restoreDayCounters } from "../store/kept-counters.ts";
import type { Core } from "./core.ts";

const DAY_MS = 86_400_000;
const NONE: ReadonlySet<string> = new Set();

/**
 * Days whose entries are counted no more when they are projected again: some of them have expired, and the day's counters,
 * kept in R2 before the first one went, are put in their place. Nothing expires before the day after tomorrow, so that
 * projecting what is new never asks.
 */
export class KeptDays {
  readonly #core: Core;
  /** Days looked for, and which of them are kept. */
  #known: { from: string; to: string; days: ReadonlySet<string> } | null = null;
  /** What is kept of the days that are being projected. */
  #parts = new Map<string, KeptPart[]>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** Asks anew from here on: what was restored may be gone. */
  forget(): void {
    this.#known = null;
    this.#parts.clear();
  }

  /**
   * Of the days of entries that are about to be projected into a placement, below index `to`, the kept ones. What is kept of
   * them there is in the cell by when this returns: a part belongs where the entry `at` its index is, and to no other placement.
   */
  async restore(
    cell: D1Database,
    { first_index, org_number: orgNumber }: LedgerPlacement,
    { days, to }: { days: readonly string[]; to: number },
  ): Promise<ReadonlySet<string>> {
    const old = days.filter((day) => day < utcDay(this.#core.now() - DAY_MS));
    const [from, last] = [old[0], old.at(-1)];
    if (from === undefined || last === undefined) return NONE;
    const kept = await this.#keptAmong({ from, to: last });
    for (const day of this.#parts.keys()) if (!old.includes(day)) this.#parts.delete(day);
    for (const day of old.filter((one) => kept.has(one))) {
      const waiting = this.#parts.get(day) ?? (await this.#read(day));
      const here = waiting.filter(({ at }) => at >= first_index && at < to);
      // A crash after this leaves counters of entries that are not here yet: they are made the same again.
      for (const part of here) await restoreDayCounters(cell, { orgNumber, day, kept: part });
      this.#parts.set(
        day,
        waiting.filter((part) => !here.includes(part)),
      );
    }
    return kept;
  }

  async #read(day: string): Promise<KeptPart[]> {
    const { config, state } = this.#core;
    const parts = await readKeptCounters(config.archive, { log: state.org.log, day });
    if (parts === null) throw new Error(`the counters of ${day} were listed and are not there`);
    return parts;
  }

  async #keptAmong({ from, to }: { from: string; to: string }): Promise<ReadonlySet<string>> {
    const known = this.#known;
    if (known !== null && known.from <= from && to <= known.to) return known.days;
    const { config, state } = this.#core;
    // All there are from here on: one question for a whole rebuild, as a rule.
    const asked = { from, to: utcDay(this.#core.now()) };
    const days = await listKeptDays(config.archive, { log: state.org.log, ...asked });
    this.#known = { ...asked, days };
    return days;
  }
}
