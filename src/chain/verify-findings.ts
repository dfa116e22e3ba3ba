import { type Claimed, Claims } from "./claims.ts";
import { placeInOrg } from "./continuation.ts";
import type { Leaf } from "./leaf.ts";
import type { Absence } from "./record.ts";
import type { WalkRange } from "./verify.ts";
import { type Cause, causeOf, Causes, type Verdict } from "./verify-causes.ts";
import type { Chain, Displaced, Gap } from "./verify-chain.ts";
import type { Break, BreakKind, Report } from "./verify-report.ts";
import type { ReadRow } from "./verify-row.ts";
import type { CheckedSections } from "./verify-sections.ts";

/** What is said of an entry on the word of its leaf. */
const SAID_OF_A_LEAF: ReadonlySet<BreakKind> = new Set<BreakKind>([
  "content_changed",
  "link_broken",
  "section_malformed",
  "unexplained_gap",
]);

/** Everything a walk has to say, in the words of its report. */
export class Findings {
  readonly #range: WalkRange;
  readonly #genesis: string | null;
  readonly #causes: Causes;
  readonly #claims = new Claims();
  #breaks: Break[] = [];
  readonly #couldNotCheck: Report["could_not_check"] = [];
  readonly #absent: Report["absent"] = { erased: 0, expired: 0, withheld: 0 };

  constructor(range: WalkRange, genesis: string | null) {
    this.#range = range;
    this.#genesis = genesis;
    this.#causes = new Causes(range.size);
  }

  /** What this keeps in memory. */
  weight(): number {
    return this.#breaks.length + this.#couldNotCheck.length;
  }

  breaks(): number {
    return this.#breaks.length;
  }

  add(found: Break): void {
    this.#breaks.push(found);
  }

  addMisrouted(index: number, { log }: Leaf): void {
    const detail = "The leaf names another log.";
    this.add({ kind: "misrouted", index, expected: this.#range.log, actual: log, detail });
  }

  addReordered(index: number, { found_at, place }: { found_at: number; place: string | null }): void {
    const detail = `The leaf of this entry lies at index ${found_at}${placed(place)}.`;
    this.add({ kind: "reordered", index, found_at, detail });
  }

  addExtra(index: number, { hash, what, place }: { hash: string | null; what: string; place: string | null }): void {
    this.add({ kind: "extra", index, ...(hash === null ? {} : { actual: hash }), detail: `${what}${placed(place)}.` });
  }

  addFork(index: number, { hash, place }: { hash: string | null; place: string | null }): void {
    const detail = `A second intact leaf at this index: the log was forked${placed(place)}.`;
    this.add({ kind: "duplicate_index", index, ...(hash === null ? {} : { actual: hash }), detail });
  }

  addLeafChanged(index: number, { expected, actual }: { expected: string | null; actual: string | null }): void {
    this.add({
      kind: "leaf_changed",
      index,
      ...(expected === null ? {} : { expected }),
      ...(actual === null ? {} : { actual }),
      detail: "The leaf is not the one its successor names.",
    });
  }

  /** A leaf that was taken for its entry turned out to be changed: what was said of its sections counts no more. */
  addDisproved(index: number, hashes: { expected: string; actual: string }): void {
    this.#breaks = this.#breaks.filter((found) => found.index !== index || !SAID_OF_A_LEAF.has(found.kind));
    this.addLeafChanged(index, hashes);
  }

  /** A leaf that says nothing we can read, though nothing shows that it was changed. */
  addUnreadable(index: number, { parsed }: Extract<ReadRow, { claim: "none" }>): void {
    if (parsed.kind === "unknown_version") {
      this.#couldNotCheck.push({ index, why: `the leaf is of version ${parsed.version}` });
    } else {
      this.add({ kind: "leaf_malformed", index, detail: `The leaf is not a canonical one: ${parsed.why}.` });
    }
  }

  /** What opening an entry's sections showed, and for the first entry, its link to the genesis. */
  addSections(index: number, { leaf, checked, chain }: { leaf: Leaf; checked: CheckedSections; chain: Chain }): void {
    for (const found of checked.breaks) this.add({ ...found, index });
    for (const absence of checked.absences) this.#addAbsence(leaf, absence, chain);
    this.#causes.keep(causeOf(leaf, checked));
    if (index !== 0 || this.#genesis === null || leaf.prev === this.#genesis) return;
    const detail = "The first leaf does not name this log's genesis as its predecessor.";
    this.add({ kind: "link_broken", index, expected: this.#genesis, actual: leaf.prev, detail });
  }

  /** Blames what is left open at the end of a walk. */
  addLeft(chain: Chain): void {
    const left = chain.leftDisplaced();
    for (const gap of chain.openGaps()) this.#addGap(gap, left);
    for (const { at, index, hash, place } of left) {
      this.addExtra(at, { hash, what: `A further row, whose leaf says it is entry ${index}`, place });
    }
  }

  /** Hands over the claims of absence that were not refuted, each with its cause as far as it was walked over. */
  claimsCount(): number {
    return this.#claims.size;
  }

  takeClaims(): { claimed: Claimed; cause: Cause | null }[] {
    return this.#claims.takeAll().map((claimed) => {
      const { log } = claimed.at;
      const own = placeInOrg(this.#range.log).number === log;
      return { claimed, cause: (own ? this.#causes.at(claimed.at.by) : null) ?? null };
    });
  }

  /** Puts down what became of sections that name one cause. */
  settle({ cause, sections, first: { index, section } }: Claimed, verdict: Verdict): void {
    if (verdict.kind === "excused") {
      this.#absent[cause] += sections;
      return;
    }
    const more = sections === 1 ? "" : ` So are ${sections - 1} more sections by the same cause.`;
    if (verdict.kind === "unexcused") {
      const detail = `The section is said to be ${cause}, but ${verdict.why}.${more}`;
      this.add({ kind: "unexplained_gap", index, section, detail });
    } else {
      const why = `${section}: ${verdict.why}${more === "" ? "" : `.${more}`}`;
      this.#couldNotCheck.push({ index, why });
    }
  }

  report(chain: Chain, { checked, stoppedAt }: { checked: number; stoppedAt: number | null }): Report {
    for (const { claimed, cause } of this.takeClaims()) this.settle(claimed, claimed.judge(cause));
    const { from, size, maxBreaks } = this.#range;
    const unvouched = chain.unvouched();
    return {
      ok: this.weight() === 0 && unvouched.length === 0 && stoppedAt === null,
      checked,
      from,
      size,
      breaks: this.#breaks.slice(0, maxBreaks).sort((a, b) => a.index - b.index),
      unvouched,
      absent: this.#absent,
      could_not_check: this.#couldNotCheck.sort((a, b) => a.index - b.index),
      stopped_at: stoppedAt,
    };
  }

  #addGap({ index, expected, holds }: Gap, left: Displaced[]): void {
    if (holds.kind === "reported") return;
    const copy = holds.kind === "displaced" ? left.findIndex(({ at }) => at === index) : -1;
    if (copy >= 0) {
      // A copy of another entry, or a leaf made up for one: it took the place of this one.
      const [changed] = left.splice(copy, 1);
      this.addLeafChanged(index, { expected, actual: changed?.hash ?? null });
    } else if (holds.kind === "changed") {
      this.addLeafChanged(index, { expected, actual: holds.hash });
    } else {
      const detail = "No row holds the leaf of this entry.";
      this.add({ kind: "missing", index, ...(expected === null ? {} : { expected }), detail });
    }
  }

  #addAbsence(leaf: Leaf, absence: Absence, chain: Chain): void {
    const { section, cause, by, log } = absence;
    const verdict = this.#judge(leaf, absence, chain);
    if (verdict.kind === "unexcused") {
      const detail = `The section is said to be ${cause}, but ${verdict.why}.`;
      this.add({ kind: "unexplained_gap", index: leaf.index, section, detail });
    } else if (cause === "withheld" || by === undefined) {
      this.#absent.withheld++;
    } else if (!this.#claims.add(leaf, { section, cause, by, ...(log === undefined ? {} : { log }) })) {
      this.#couldNotCheck.push({ index: leaf.index, why: `${section}: too many causes to keep in mind` });
    }
  }

  #judge(leaf: Leaf, absence: Absence, chain: Chain): Verdict {
    const withheld = absence.cause === "withheld" && this.#range.allowWithheld !== true;
    if (withheld) return { kind: "unexcused", why: "nothing is withheld from this verification" };
    return this.#causes.judge(leaf, absence, (index) => chain.isOpen(index));
  }
}

/** Free text on where a row lies, for the end of a sentence. */
function placed(place: string | null): string {
  return place === null ? "" : ` (${place})`;
}
