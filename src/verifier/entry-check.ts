import { causeOf } from "../chain/verify-causes.ts";
import { checkSections } from "../chain/verify-sections.ts";
import type { Leaf } from "../chain/leaf.ts";
import type { Checkpoint } from "../chain/note/checkpoint.ts";
import type { Sha256 } from "../chain/sha256.ts";
import type { AbsenceClaims } from "./absence-claims.ts";
import type { EntryRow } from "./entry-row.ts";
import type { LogFindings } from "./report.ts";
import type { LogSource } from "./source.ts";

/** An index for which no row has its leaf; `holds` is what lies there instead. */
type Gap = { index: number; holds: EntryRow | null; before: string | null };

/**
 * `genesis` is null when it is not known; `continues` is the checkpoint it is made of, when this is not an org's first
 * log. With `complete`, sections that are withheld are breaks.
 */
export type CheckedLog = {
  log: string;
  size: number;
  genesis: string | null;
  continues: Checkpoint | null;
  complete: boolean;
};

/**
 * Checks entries against the hashes that a trusted tree has for them, from the oldest on: each leaf, the link to the one
 * before, each section. The tree vouches for every index by itself, so a break never spreads to its neighbours. What
 * lies in the wrong place is kept, at most as many as there may be breaks, until its place turns up.
 */
export class EntryCheck {
  readonly #sha256: Sha256;
  readonly #log: CheckedLog;
  readonly #findings: LogFindings;
  readonly #claims: AbsenceClaims;
  readonly #gaps = new Map<string, Gap>();
  readonly #strays = new Map<string, EntryRow>();
  /** The tree's hash of the entry before the next one; null when it is not known. */
  #before: string | null;

  constructor(
    sha256: Sha256,
    { log, findings, claims }: { log: CheckedLog; findings: LogFindings; claims: AbsenceClaims },
  ) {
    this.#sha256 = sha256;
    this.#log = log;
    this.#findings = findings;
    this.#claims = claims;
    claims.addLog(log.log, { size: log.size, complete: log.complete, findings, unproven: null });
    this.#before = log.genesis;
  }

  /** Checks what lies at the next index, where the tree has the leaf hash `expected`. */
  entry(index: number, { expected, rows }: { expected: string; rows: readonly EntryRow[] }): void {
    const match = this.#matching(rows, expected);
    const before = this.#before;
    if (match === undefined) this.#open(expected, { index, holds: rows[0] ?? null, before });
    else this.#settle(index, match, before);
    for (const row of rows) if (row !== match && row !== this.#gaps.get(expected)?.holds) this.#surplus(row, match);
    this.#before = expected;
  }

  /** The next entries could not be had; `last` is the tree's hash of the newest of them, null when it is not known. */
  skip(last: string | null): void {
    this.#before = last;
  }

  /** A row that came after its index was passed, or that lies beyond the checkpoint. */
  late(row: EntryRow): void {
    if (row.leaf?.log === this.#log.log && row.leaf.index >= this.#log.size) this.#findings.counts.beyond++;
    else this.#surplus(row, undefined);
  }

  /** Compares the sections that are gone with the lists of the causes that were read, from the log's files. */
  async compareLists(source: LogSource): Promise<void> {
    await this.#claims.compare(source);
  }

  /** Whether there is so much wrong that going on would tell nobody more. */
  full(): boolean {
    return this.#findings.full(this.#gaps.size + this.#strays.size);
  }

  /** Blames what was left open. */
  finish(): void {
    for (const [expected, gap] of this.#gaps) {
      const stray = this.#strays.get(expected);
      if (stray !== undefined) this.#moved(gap, stray);
    }
    for (const [expected, gap] of this.#gaps) this.#blame(expected, gap);
    for (const row of this.#strays.values()) {
      const what = row.leaf === null ? "A further row" : `A further row, whose leaf says it is entry ${row.leaf.index}`;
      this.#extra(row, what);
    }
    this.#claims.finish(this.#log.log);
  }

  #matching(rows: readonly EntryRow[], expected: string): EntryRow | undefined {
    if (rows.length === 1) return rows[0]?.hash === expected ? rows[0] : undefined;
    const matches = rows.filter(({ hash }) => hash === expected);
    return (
      matches.find((row) => row.record !== null && this.#opens(row)) ??
      matches.find((row) => row.record !== null) ??
      matches[0]
    );
  }

  #opens({ leaf, record }: EntryRow): boolean {
    return leaf !== null && record !== null && checkSections(this.#sha256, leaf, record).breaks.length === 0;
  }

  /** The tree's own leaf of this index. */
  #settle(index: number, row: EntryRow, before: string | null): void {
    const { leaf, unread, record } = row;
    if (unread?.kind === "unknown_version") {
      return this.#findings.addUnchecked({ index, why: `the leaf is of version ${unread.version}` });
    }
    if (leaf === null) {
      const detail = `The leaf is not a canonical one: ${unread?.why}.`;
      return this.#findings.add({ kind: "leaf_malformed", index, detail });
    }
    this.#findings.counts.entries++;
    if (leaf.log !== this.#log.log) return this.#misrouted(index, leaf);
    if (leaf.index !== index) return this.#reordered(leaf.index, { at: index, place: row.place });
    if (before !== null && leaf.prev !== before) this.#unlinked(leaf, before);
    if (record === null) {
      this.#findings.counts.sections_unseen += Object.keys(leaf.sections).length;
      // A client's entry is no cause, whatever its sections say.
      if (leaf.source === "client") this.#claims.entry(leaf.log, causeOf(leaf, { action: null, metadata: null }));
      return;
    }
    const checked = checkSections(this.#sha256, leaf, record);
    const { breaks, absences } = checked;
    const { counts } = this.#findings;
    counts.records++;
    for (const found of breaks) this.#findings.add({ ...found, index });
    if (breaks.length === 0) counts.sections += Object.keys(leaf.sections).length - absences.length;
    for (const absence of absences) this.#claims.claim(leaf, absence);
    this.#claims.entry(leaf.log, causeOf(leaf, checked));
  }

  #unlinked({ index, prev }: Leaf, before: string): void {
    const hashes = { expected: before, actual: prev };
    const detail =
      index === 0 ? this.#notBegun() : "The leaf is the tree's, but what it names as its predecessor is not.";
    this.#findings.add({ kind: "link_broken", index, ...hashes, detail });
  }

  #notBegun(): string {
    const { continues } = this.#log;
    if (continues === null) return "The first leaf does not name this log's genesis as its predecessor.";
    const { origin, size } = continues;
    return `The first leaf does not name the checkpoint of ${origin} at size ${size}: that is not what this log continues.`;
  }

  #open(expected: string, gap: Gap): void {
    // Two indexes with one hash: at most one of them can be right, and this one has no leaf.
    if (this.#gaps.has(expected)) this.#blame(expected, gap);
    else this.#gaps.set(expected, gap);
    const { holds } = gap;
    if (holds !== null && holds.hash !== null && this.#isOfThisLog(holds)) this.#strays.set(holds.hash, holds);
  }

  /** A row that its index has no use for. */
  #surplus(row: EntryRow, match: EntryRow | undefined): void {
    const { leaf, hash } = row;
    if (leaf !== null && leaf.log !== this.#log.log) return this.#misrouted(row.at, leaf);
    if (match !== undefined && hash === match.hash) {
      // A leaf and a record of one entry come from two places: that is one entry.
      if (row.record !== null && match.record !== null) this.#extra(row, "Another copy of this entry");
      return;
    }
    if (row.record !== null && match !== undefined && match.record === null) return this.#changed(match.hash, row);
    const forks = leaf !== null && leaf.index === row.at && match?.leaf?.prev === leaf.prev;
    if (forks && (row.record === null || this.#opens(row))) {
      const detail = `A second intact leaf at this index: the log was forked${placed(row)}.`;
      return this.#findings.add({ kind: "duplicate_index", index: row.at, ...hashOf(row), detail });
    }
    if (hash === null) this.#extra(row, "Another row at this index");
    else this.#strays.set(hash, row);
  }

  #moved(gap: Gap, stray: EntryRow): void {
    this.#gaps.delete(stray.hash as string);
    this.#strays.delete(stray.hash as string);
    this.#reordered(gap.index, stray);
    this.#settle(gap.index, stray, gap.before);
  }

  #blame(expected: string, { index, holds }: Gap): void {
    if (holds === null) {
      const detail = "Nothing holds the leaf of this entry.";
      this.#findings.add({ kind: "missing", index, expected, detail });
    } else if (holds.leaf !== null && !this.#isOfThisLog(holds)) {
      this.#misrouted(index, holds.leaf);
    } else {
      if (holds.hash !== null) this.#strays.delete(holds.hash);
      this.#changed(expected, { ...holds, at: index });
    }
  }

  #changed(expected: string | null, row: EntryRow): void {
    const detail = `The leaf is not the one the signed tree has here${placed(row)}.`;
    const wanted = expected === null ? {} : { expected };
    this.#findings.add({ kind: "leaf_changed", index: row.at, ...wanted, ...hashOf(row), detail });
  }

  #isOfThisLog({ leaf }: EntryRow): boolean {
    return leaf === null || leaf.log === this.#log.log;
  }

  #misrouted(index: number, { log }: Leaf): void {
    const detail = "The leaf names another log.";
    this.#findings.add({ kind: "misrouted", index, expected: this.#log.log, actual: log, detail });
  }

  #reordered(index: number, { at, place }: Pick<EntryRow, "at" | "place">): void {
    const detail = `The leaf of this entry lies at index ${at}${placed({ place })}.`;
    this.#findings.add({ kind: "reordered", index, found_at: at, detail });
  }

  #extra(row: EntryRow, what: string): void {
    this.#findings.add({ kind: "extra", index: row.at, ...hashOf(row), detail: `${what}${placed(row)}.` });
  }
}

function hashOf({ hash }: EntryRow): { actual?: string } {
  return hash === null ? {} : { actual: hash };
}

function placed({ place }: Pick<EntryRow, "place">): string {
  return place === null ? "" : ` (${place})`;
}
