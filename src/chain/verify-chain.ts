/** A run of entries that each name the next: `to` is its newest index, `top` the entry hash there (null: not known). */
type Run = { kind: "run"; to: number; from: number; vouched: boolean; top: string | null };

/** What lies at an index instead of its leaf; `reported` means that a break or a note says so already. */
export type Holding = { kind: "nothing" | "displaced" | "reported" } | { kind: "changed"; hash: string | null };

/**
 * An index whose leaf has not been seen. `expected` is the hash it must have: `trusted` when the head or the tree says
 * so, else by its successor, and a `guess` when that one has changed itself.
 */
export type Gap = {
  kind: "gap";
  index: number;
  expected: string | null;
  guess: boolean;
  trusted: boolean;
  holds: Holding;
};

/** A leaf that lies at `at` but says it is `index`: it may be the one an index lacks. */
export type Displaced = { index: number; at: number; place: string | null; hash: string; prev: string };

/** A gap that closed, and the row below it when the leaf found names another one. */
export type Closed = { gap: Gap; leaf: Displaced; disproved: { expected: string; actual: string } | null };

/** What the next index must be: `sure` unless it is a guess or not known, `vouched` when trust reaches down to it. */
export type Expected = { hash: string | null; sure: boolean; vouched: boolean };

/**
 * The chain as known so far, from newest to oldest: runs of entries, and gaps between them. A run is vouched for when
 * it hangs on the trusted hash without a gap; a gap closes when a displaced leaf turns out to be the one it lacks, and
 * then the run below it hangs on the one above.
 */
export class Chain {
  readonly #pieces: (Run | Gap)[] = [];
  readonly #gaps = new Map<number, Gap>();
  readonly #displaced = new Map<number, Displaced[]>();
  #displacedCount = 0;
  /** What the lowest leaf names as its predecessor; a guess when that leaf is a changed one. */
  #link: string | null;
  #guess = false;

  constructor(trusted: string | null) {
    this.#link = trusted;
  }

  expected(): Expected {
    const last = this.#pieces.at(-1);
    const sure = this.#link !== null && !this.#guess;
    return { hash: this.#link, sure, vouched: sure && (last === undefined || (last.kind === "run" && last.vouched)) };
  }

  /** Takes the leaf of the next index; answers the gap above it when the leaf shows which one that lacks. */
  accept(index: number, { hash, prev, vouched }: { hash: string; prev: string; vouched: boolean }): Closed[] {
    const last = this.#pieces.at(-1);
    const hangs = this.#link === hash && !this.#guess;
    this.#link = prev;
    this.#guess = false;
    if (last?.kind === "run" && (hangs || last.vouched === vouched)) {
      last.from = index;
      return [];
    }
    this.#pieces.push({ kind: "run", to: index, from: index, vouched, top: hash });
    return last?.kind === "gap" ? this.#tryClose(last) : [];
  }

  /** Records that the next index lacks its leaf. `guess` is what a changed leaf there names as its predecessor. */
  openGap(
    index: number,
    { expected, holds, guess }: { expected: Expected; holds: Holding; guess: string | null },
  ): void {
    const trusted = expected.vouched && this.#pieces.at(-1)?.kind !== "run";
    const gap: Gap = { kind: "gap", index, expected: expected.hash, guess: !expected.sure, trusted, holds };
    this.#pieces.push(gap);
    this.#gaps.set(index, gap);
    this.#link = guess;
    this.#guess = true;
  }

  /** Keeps a displaced leaf; answers the gap it closes, and others that close with it. */
  addDisplaced(leaf: Displaced): Closed[] {
    this.#displaced.set(leaf.index, [...(this.#displaced.get(leaf.index) ?? []), leaf]);
    this.#displacedCount++;
    const gap = this.#gaps.get(leaf.index);
    return gap === undefined ? [] : this.#tryClose(gap);
  }

  /** Takes the displaced leaf that has this index and hash, if one was kept. */
  takeDisplaced(index: number, hash: string): Displaced | null {
    const leaf = this.#displaced.get(index)?.find((one) => one.hash === hash);
    if (leaf !== undefined) this.#forget(leaf);
    return leaf ?? null;
  }

  isOpen(index: number): boolean {
    return this.#gaps.has(index);
  }

  openGaps(): Gap[] {
    return [...this.#gaps.values()];
  }

  /** Displaced leaves whose place was not found. */
  leftDisplaced(): Displaced[] {
    return [...this.#displaced.values()].flat();
  }

  /** Runs nobody vouches for, oldest first. */
  unvouched(): { from: number; to: number }[] {
    const runs: { from: number; to: number }[] = [];
    for (const piece of this.#pieces) {
      if (piece.kind === "run" && !piece.vouched) runs.push({ from: piece.from, to: piece.to });
    }
    return runs.reverse();
  }

  /** Open gaps and displaced leaves: what this keeps in memory. */
  weight(): number {
    return this.#gaps.size + this.#displacedCount;
  }

  #forget(leaf: Displaced): void {
    const left = (this.#displaced.get(leaf.index) ?? []).filter((one) => one !== leaf);
    if (left.length === 0) this.#displaced.delete(leaf.index);
    else this.#displaced.set(leaf.index, left);
    this.#displacedCount--;
  }

  #tryClose(gap: Gap): Closed[] {
    const below = this.#pieces[this.#pieces.indexOf(gap) + 1];
    const belowTop = below?.kind === "run" ? below.top : null;
    const leaf = this.#displaced
      .get(gap.index)
      ?.find(({ hash, prev }) => hash === gap.expected || ((gap.guess || gap.expected === null) && prev === belowTop));
    return leaf === undefined ? [] : this.#close(gap, leaf);
  }

  #close(gap: Gap, leaf: Displaced): Closed[] {
    const at = this.#pieces.indexOf(gap);
    const above = this.#pieces[at - 1];
    const hangs = !gap.guess && gap.expected === leaf.hash;
    this.#forget(leaf);
    this.#gaps.delete(gap.index);
    if (hangs && above?.kind === "run") {
      above.from = gap.index;
      this.#pieces.splice(at, 1);
      return this.#join({ gap, leaf, disproved: null }, { run: above, at: at - 1, hangs });
    }
    const run: Run = { kind: "run", to: gap.index, from: gap.index, vouched: hangs && gap.trusted, top: leaf.hash };
    this.#pieces[at] = run;
    return this.#join({ gap, leaf, disproved: null }, { run, at, hangs });
  }

  /** Joins the piece below to a run that has just got `leaf` as its lowest. */
  #join(closed: Closed, { run, at, hangs }: { run: Run; at: number; hangs: boolean }): Closed[] {
    const { prev } = closed.leaf;
    const below = this.#pieces[at + 1];
    if (below === undefined) {
      this.#link = prev;
      this.#guess = false;
      return [closed];
    }
    if (below.kind === "gap") {
      if (!below.trusted) Object.assign(below, { expected: prev, guess: false });
      return [closed, ...this.#tryClose(below)];
    }
    if (below.vouched || below.top === null) return [closed];
    if (below.top === prev) {
      run.from = below.from;
      this.#pieces.splice(at + 1, 1);
      return [closed];
    }
    if (!hangs) return [closed];
    const disproved = { expected: prev, actual: below.top };
    return [{ ...closed, disproved }, ...this.#dropTop(below, { at: at + 1, expected: prev })];
  }

  /** Puts a gap in place of a run's newest entry, which is not the one its successor names. */
  #dropTop(run: Run, { at, expected }: { at: number; expected: string }): Closed[] {
    const holds: Holding = { kind: "reported" };
    const gap: Gap = { kind: "gap", index: run.to, expected, guess: false, trusted: false, holds };
    this.#gaps.set(gap.index, gap);
    run.to--;
    run.top = null;
    if (run.to >= run.from) {
      this.#pieces.splice(at, 0, gap);
    } else {
      this.#pieces[at] = gap;
      if (at === this.#pieces.length - 1) this.#guess = true;
    }
    return this.#tryClose(gap);
  }
}
