import type { Break, BreakKind } from "../chain/verify-report.ts";

/** Breaks that only a checkpoint can show; all kinds are explained in `docs/format.md`. */
export type LogBreakKind = BreakKind | "truncated" | "diverged" | "bad_signature";

/**
 * One break of a log. `index` is the entry it is about, null when it is about the log as a whole; `to` ends a run of
 * entries that share it, inclusive.
 */
export type LogBreak = Omit<Break, "kind" | "index"> & { kind: LogBreakKind; index: number | null; to?: number };

/** What could not be checked, and why; `index` is null when that is about no entry, `to` ends a run, inclusive. */
export type Unchecked = { index: number | null; to?: number; why: string };

/** What was seen of entries: those that are the tree's, and of these the sections opened and those not looked at. */
export type Counts = {
  /** Entries whose leaf is in the signed tree. */
  entries: number;
  /** Of these, entries whose sections were opened, from a record. */
  records: number;
  /** Sections that open their commitments. */
  sections: number;
  /** Sections that leaves commit and nobody showed us. */
  sections_unseen: number;
  /** Records of entries that are newer than the checkpoint: nothing was said of them. */
  beyond: number;
  absent: { erased: number; expired: number; withheld: number };
};

/** Everything there is to say of a log, collected while it is read. It takes no more once `full`. */
export class LogFindings {
  readonly breaks: LogBreak[] = [];
  readonly couldNotCheck: Unchecked[] = [];
  readonly counts: Counts = {
    entries: 0,
    records: 0,
    sections: 0,
    sections_unseen: 0,
    beyond: 0,
    absent: { erased: 0, expired: 0, withheld: 0 },
  };
  readonly #maxBreaks: number;

  constructor(maxBreaks: number) {
    this.#maxBreaks = maxBreaks;
  }

  add(found: LogBreak): void {
    if (this.breaks.length < this.#maxBreaks) this.breaks.push(found);
  }

  addUnchecked(unchecked: Unchecked): void {
    if (this.couldNotCheck.length < this.#maxBreaks) this.couldNotCheck.push(unchecked);
  }

  full(more: number): boolean {
    return this.breaks.length + this.couldNotCheck.length + more >= this.#maxBreaks;
  }
}
