import { base64url } from "../chain/encoding.ts";
import type { ExportedLog } from "../chain/export-manifest.ts";
import type { Leaf } from "../chain/leaf.ts";
import type { Checkpoint } from "../chain/note/checkpoint.ts";
import type { LooseRecord } from "../chain/parse-record.ts";
import { verifyInclusion } from "../chain/proof/verify-inclusion.ts";
import type { Sha256 } from "../chain/sha256.ts";
import { causeOf } from "../chain/verify-causes.ts";
import { checkSections } from "../chain/verify-sections.ts";
import type { AbsenceClaims } from "./absence-claims.ts";
import type { LogFindings } from "./report.ts";

/** A line of an export whose leaf could be read, and the hash of that. */
export type ReadLine = { leaf: Leaf; hash: Uint8Array; record: LooseRecord; proof: readonly Uint8Array[] | null };

/** Neighbours that each name the one before; `expected` is what follows says of the last one, null where nothing follows. */
type Piece = { from: number; to: number; expected: string | null };

export type Run = { from: number; to: number };

/**
 * What an export says of a log, whether it is to hold every entry but those `missing`, in order, and what its first entry has to name
 * (null: not known).
 */
export type AboutLog = {
  said: ExportedLog;
  checkpoint: Checkpoint | null;
  whole: boolean;
  missing: readonly Run[];
  genesis: string | null;
};

/**
 * Checks the lines of one log of an export as they come: each section, each link, and at the end of each run of neighbours
 * the proof that its last leaf is in the signed tree, which by the links vouches for the run. It holds no line.
 */
export class ExportLog {
  readonly #sha256: Sha256;
  readonly #about: AboutLog;
  readonly #findings: LogFindings;
  readonly #claims: AbsenceClaims;
  /** The run that has no proof yet, oldest piece first, and the hash of its newest leaf. */
  #pieces: Piece[] = [];
  #top: Uint8Array | null = null;
  readonly #missing: Run[] = [];
  readonly unvouched: Run[] = [];
  /** The first entry that is there and is said to be missing. */
  contradicted: number | null = null;
  #named = 0;
  first: number | null = null;
  last: number | null = null;
  rows = 0;

  constructor(
    sha256: Sha256,
    { about, findings, claims }: { about: AboutLog; findings: LogFindings; claims: AbsenceClaims },
  ) {
    this.#sha256 = sha256;
    this.#about = about;
    this.#findings = findings;
    this.#claims = claims;
  }

  /** Runs this keeps in memory because something is wrong with them. */
  weight(): number {
    return this.#missing.length + this.unvouched.length + this.#pieces.length;
  }

  line({ leaf, hash, record, proof }: ReadLine): void {
    const { index } = leaf;
    this.rows++;
    if (this.last !== null && index <= this.last) return this.#late(index);
    if (index >= this.#about.said.size) {
      const detail = "The line is of an entry that the checkpoint does not cover.";
      return this.#findings.add({ kind: "extra", index, detail });
    }
    this.#place(leaf);
    if (this.#isNamed(index)) this.contradicted ??= index;
    this.#top = hash;
    const checked = checkSections(this.#sha256, leaf, record);
    const { breaks, absences } = checked;
    const { counts } = this.#findings;
    counts.records++;
    for (const found of breaks) this.#findings.add({ ...found, index });
    if (breaks.length === 0) counts.sections += Object.keys(leaf.sections).length - absences.length;
    for (const absence of absences) this.#claims.claim(leaf, absence);
    this.#claims.entry(leaf.log, causeOf(leaf, checked));
    if (proof !== null) this.#prove(index, proof);
  }

  /** A line of which nobody can say for sure which entry it is of: it is taken for the next. */
  unread(parsed: { kind: "unknown_version"; version: number } | { kind: "malformed"; why: string }): void {
    const index = this.last === null ? (this.#about.said.first ?? 0) : this.last + 1;
    this.rows++;
    if (parsed.kind === "unknown_version") {
      this.#findings.addUnchecked({ index, why: `the leaf is of version ${parsed.version}` });
    } else {
      this.#findings.add({ kind: "leaf_malformed", index, detail: `The leaf is not a canonical one: ${parsed.why}.` });
    }
    this.#giveUp();
    this.last = index;
  }

  /** After the last line of the export. */
  end(): void {
    if (this.#pieces.length > 0) this.#unproven();
    const { said, whole } = this.#about;
    const next = this.last === null ? 0 : this.last + 1;
    if (whole && next < said.size) this.#miss({ from: next, to: said.size - 1 });
    for (const { from, to } of this.#missing) {
      const detail = "The export has no line of this entry, and it should have one.";
      this.#findings.add({ kind: "missing", index: from, ...(to > from ? { to } : {}), detail });
    }
    this.unvouched.sort((a, b) => a.from - b.from);
  }

  /** Puts a leaf after those before it. */
  #place({ index, prev }: Leaf): void {
    const { whole, genesis } = this.#about;
    const next = this.last === null ? 0 : this.last + 1;
    const follows = this.last !== null && index === next;
    if (this.#pieces.length > 0 && !follows) this.#unproven();
    if (whole && index > next) this.#miss({ from: next, to: index - 1 });
    if (follows && this.#pieces.length === 0 && this.#top !== null) {
      const detail =
        "The line before has a proof of its own, as only the last of a run has: this one was put in after it.";
      this.#findings.add({ kind: "extra", index, detail });
    }
    if (index === 0 && genesis !== null && prev !== genesis) {
      const detail = "The first leaf does not name what this log begins with as its predecessor.";
      this.#findings.add({ kind: "link_broken", index, expected: genesis, actual: prev, detail });
    }
    const piece = this.#pieces.at(-1);
    if (piece !== undefined && this.#top !== null && prev === base64url(this.#top)) piece.to = index;
    else {
      if (piece !== undefined) piece.expected = prev;
      this.#pieces.push({ from: index, to: index, expected: null });
    }
    this.first ??= index;
    this.last = index;
  }

  /** The newest line has a proof: with it stands or falls all that hangs on it. */
  #prove(index: number, hashes: readonly Uint8Array[]): void {
    const { checkpoint } = this.#about;
    const leafHash = this.#top;
    const pieces = this.#pieces;
    this.#pieces = [];
    if (checkpoint === null || leafHash === null) return this.#unsigned(pieces);
    const { size, root } = checkpoint;
    let vouched = verifyInclusion(this.#sha256, { index, size, leafHash, root, hashes });
    for (const { from, to, expected } of pieces.reverse()) {
      if (vouched && expected === null) this.#findings.counts.entries += to - from + 1;
      else {
        const detail =
          expected === null
            ? "Its proof does not show this leaf at this index of the signed tree."
            : "The leaf is not the one its successor names.";
        this.#findings.add({ kind: "leaf_changed", index: to, ...(expected === null ? {} : { expected }), detail });
        if (to > from) this.unvouched.push({ from, to: to - 1 });
      }
      vouched = false;
    }
  }

  /** The newest line has no proof, and its neighbour does not follow, without which nothing vouches for it. */
  #unproven(): void {
    const at = this.#pieces.at(-1)?.to ?? 0;
    if (this.#about.checkpoint === null) this.#unsigned(this.#pieces);
    else {
      if (at + 1 < this.#about.said.size) this.#miss({ from: at + 1, to: at + 1 });
      this.#giveUp();
    }
    this.#pieces = [];
  }

  #giveUp(): void {
    const [first] = this.#pieces;
    const last = this.#pieces.at(-1);
    if (first !== undefined && last !== undefined) this.unvouched.push({ from: first.from, to: last.to });
    this.#pieces = [];
    this.#top = null;
  }

  /** Nothing was ever signed of this log. */
  #unsigned(pieces: readonly Piece[]): void {
    const [first] = pieces;
    const last = pieces.at(-1);
    if (first === undefined || last === undefined) return;
    const why = "this log never had a checkpoint, so that nothing signed says what its entries were";
    this.#findings.addUnchecked({ index: first.from, to: last.to, why });
  }

  /** Whether an entry is said to be missing; asked of lines in their order. */
  #isNamed(index: number): boolean {
    const { missing } = this.#about;
    while ((missing[this.#named]?.to ?? index) < index) this.#named++;
    return (missing[this.#named]?.from ?? index + 1) <= index;
  }

  /** Entries without a line; those that are said to be missing are not missed. */
  #miss({ from, to }: Run): void {
    let next = from;
    for (const named of this.#about.missing) {
      if (named.to < next || named.from > to) continue;
      if (named.from > next) this.#missRun({ from: next, to: named.from - 1 });
      next = named.to + 1;
    }
    if (next <= to) this.#missRun({ from: next, to });
  }

  #missRun(run: Run): void {
    const before = this.#missing.at(-1);
    if (before !== undefined && run.from <= before.to + 1) before.to = Math.max(before.to, run.to);
    else this.#missing.push(run);
  }

  /** A line that stands after one of a later entry, or a second one of an entry. */
  #late(index: number): void {
    const at = this.#missing.findIndex(({ from, to }) => from <= index && index <= to);
    const run = this.#missing[at];
    if (run === undefined) {
      const detail = "A further line of this entry, or one that is out of order.";
      return this.#findings.add({ kind: "extra", index, detail });
    }
    const rest = [
      { from: run.from, to: index - 1 },
      { from: index + 1, to: run.to },
    ];
    this.#missing.splice(at, 1, ...rest.filter(({ from, to }) => from <= to));
    const detail = "The line of this entry stands after one of a later entry.";
    this.#findings.add({ kind: "reordered", index, detail });
  }
}
