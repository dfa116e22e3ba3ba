import { listKeptDays, readKeptCounters } from "../archive/kept-counters.ts";
import type { LedgerPlacement } from "../schema/ledger.ts";
import { utcDay } from "../schema/policy.ts";
import { restoreDayCounters } from "../store/kept-counters.ts";
import type { Core } from "./core.ts";

const DAY_MS = 86_400_000;

/**
 * Days whose entries are counted no more when they are projected again: some of them have expired, and the day's counters,
 * kept in R2 before the first one went, are put in their place. Nothing expires before the day after tomorrow, so that
 * projecting what is new never asks.
 */
export class KeptDays {
  readonly #core: Core;
  /** Days looked for, and which of them are kept. */
  #known: { from: string; to: string; days: ReadonlySet<string> } | null = null;
  readonly #restored = new Set<string>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** Asks anew from here on: what was restored may be gone. */
  forget(): void {
    this.#known = null;
    this.#restored.clear();
  }

  /** Of these days, in order, the kept ones, each with its counters in the placement's cell by when this returns. */
  async restore(cell: D1Database, placement: LedgerPlacement, days: readonly string[]): Promise<ReadonlySet<string>> {
    const old = days.filter((day) => day < utcDay(this.#core.now() - DAY_MS));
    const [from, to] = [old[0], old.at(-1)];
    if (from === undefined || to === undefined) return NONE;
    const kept = await this.#keptAmong({ from, to });
    for (const day of old) if (kept.has(day)) await this.#restoreOne(cell, placement, day);
    return kept;
  }

  async #keptAmong({ from, to }: { from: string; to: string }): Promise<ReadonlySet<string>> {
    const known = this.#known;
    if (known !== null && known.from <= from && to <= known.to) return known.days;
    const { config, state, now } = this.#core;
    // All there are from here on: one question for a whole rebuild, as a rule.
    const asked = { from, to: utcDay(now()) };
    const days = await listKeptDays(config.archive, { log: state.org.log, ...asked });
    this.#known = { ...asked, days };
    return days;
  }

  async #restoreOne(cell: D1Database, { first_index, org_number }: LedgerPlacement, day: string): Promise<void> {
    const id = `${first_index} ${day}`;
    if (this.#restored.has(id)) return;
    const { config, state } = this.#core;
    const parts = await readKeptCounters(config.archive, { log: state.org.log, day });
    const kept = parts?.find((part) => part.first_index === first_index);
    if (kept !== undefined) await restoreDayCounters(cell, { orgNumber: org_number, day, kept });
    this.#restored.add(id);
  }
}

const NONE: ReadonlySet<string> = new Set();
