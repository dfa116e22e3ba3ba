import { assert } from "../errors.ts";
import { base64url } from "./encoding.ts";
import type { Leaf } from "./leaf.ts";
import type { Sha256 } from "./sha256.ts";
import type { OpenClaims, Walk, WalkRange } from "./verify.ts";
import { Chain, type Closed, type Displaced, type Expected, type Holding } from "./verify-chain.ts";
import { Findings } from "./verify-findings.ts";
import type { Report } from "./verify-report.ts";
import { matchingRow, opens, type ReadRow, readRow, type StoredRow, wholeFirst } from "./verify-row.ts";
import { type CheckedSections, checkSections } from "./verify-sections.ts";

/** What a displaced leaf brings along, for when its place is found. */
type Evidence = { leaf: Leaf; checked: CheckedSections };

/** The row whose leaf an index has. */
type Intact = { hash: string | null; prev: string };

/** The walk itself: it decides which row an index has. `Chain` knows what hangs on what, `Findings` what to say of it. */
export class LogWalk implements Walk {
  readonly #sha256: Sha256;
  readonly #range: WalkRange;
  readonly #chain: Chain;
  readonly #findings: Findings;
  readonly #evidence = new Map<Displaced, Evidence>();
  #checked = 0;
  /** The next index to settle, and the rows of the one that is being gathered. */
  #next: number;
  #gathered: StoredRow[] = [];
  #stoppedAt: number | null = null;
  /** The last index to settle: a walk that rests goes no further than it has come. */
  #from: number;
  #report: Report | null = null;

  constructor(sha256: Sha256, range: WalkRange) {
    assert(range.from >= 0 && range.from <= range.size, "a walk goes down from size-1 to from");
    this.#sha256 = sha256;
    this.#range = range;
    this.#from = range.from;
    this.#chain = new Chain(range.trusted);
    this.#findings = new Findings(range, range.genesis === null ? null : base64url(range.genesis));
    this.#next = range.size - 1;
  }

  row(row: StoredRow): void {
    assert(this.#report === null, "a walk that was reported takes no more rows");
    const gathering = this.#gathered[0]?.index;
    assert(gathering === undefined || row.index <= gathering, "rows come newest first");
    assert(row.index >= this.#range.from, "rows lie in the range, or beyond its head");
    if (gathering !== undefined && row.index < gathering) this.#settleGathered();
    if (this.#stoppedAt !== null || row.index < this.#from) return;
    assert(row.index <= this.#next || row.index >= this.#range.size, "all rows of an index come before the next index");
    this.#gathered.push(row);
    if (this.#gathered.length > this.#range.maxBreaks) this.#stoppedAt = this.#next;
  }

  progress(): ReturnType<Walk["progress"]> {
    const open = this.#chain.openGaps().filter(({ holds }) => holds.kind !== "reported").length;
    const [checked, breaks, at, from] = [this.#checked, this.#findings.breaks() + open, this.#next, this.#from];
    return { checked, breaks, at, from, stopped: this.#stoppedAt !== null || from > this.#range.from };
  }

  next(): { index: number; trusted: string | null } {
    this.#settleGathered();
    const { hash, vouched } = this.#chain.expected();
    return { index: this.#next, trusted: vouched ? hash : null };
  }

  claims(): OpenClaims {
    this.#settleGathered();
    return this.#findings;
  }

  report(): Report {
    return (this.#report ??= this.#finish());
  }

  #finish(): Report {
    this.#settleGathered();
    while (this.#next >= this.#from && this.#stoppedAt === null) this.#settle(this.#next, []);
    this.#findings.addLeft(this.#chain);
    return this.#findings.report(this.#chain, { checked: this.#checked, stoppedAt: this.#stoppedAt });
  }

  #settleGathered(): void {
    const [rows, index] = [this.#gathered, this.#gathered[0]?.index];
    this.#gathered = [];
    if (index === undefined || this.#stoppedAt !== null) return;
    if (index >= this.#range.size) {
      for (const row of rows) this.#settleBeyond(readRow(this.#sha256, this.#range.log, row));
      this.#stopWhenFull();
      return;
    }
    while (this.#next > index && this.#stoppedAt === null) this.#settle(this.#next, []);
    if (this.#stoppedAt === null) this.#settle(index, rows);
    if (this.#findings.claimsCount() >= (this.#range.maxClaims ?? Infinity)) this.#from = this.#next + 1;
  }

  #stopWhenFull(): void {
    const weight = this.#findings.weight() + this.#chain.weight();
    if (weight >= this.#range.maxBreaks && this.#next >= this.#from) this.#stoppedAt = this.#next;
  }

  /** A row beyond the head: it may be the leaf that an index lacks. */
  #settleBeyond(row: ReadRow): void {
    if (this.#keepDisplaced(row)) return;
    if (row.claim === "foreign") this.#findings.addMisrouted(row.index, row.leaf);
    else this.#findings.addExtra(row.index, { hash: row.hash, what: "A row beyond the head", place: row.place });
  }

  #settle(index: number, stored: StoredRow[]): void {
    const rows = wholeFirst(
      this.#sha256,
      stored.map((row) => readRow(this.#sha256, this.#range.log, row)),
    );
    if (rows.length > 0) this.#checked++;
    const treeHash = this.#treeHash(index, stored);
    const before = this.#expected(treeHash);
    for (const row of rows) if (row.hash !== before.hash) this.#keepDisplaced(row);
    // A displaced leaf may have closed the gap above, and then more is expected here.
    const expected = this.#expected(treeHash);
    const match = matchingRow(rows, expected);
    const lost = match === undefined && expected.hash !== null ? this.#chain.takeDisplaced(index, expected.hash) : null;
    this.#next = index - 1;
    let intact: Intact | null = null;
    let chosen: ReadRow | null = match ?? null;
    if (match !== undefined) {
      if (treeHash !== undefined) this.#checkTreeLink(index, treeHash);
      intact = this.#settleMatch(match, expected);
    } else if (lost !== null) {
      intact = lost;
      this.#settleFound(lost);
      this.#settleClosed(this.#chain.accept(index, { hash: lost.hash, prev: lost.prev, vouched: expected.vouched }));
    } else {
      chosen = this.#settleGap(index, rows, expected);
    }
    for (const row of rows) if (row !== chosen) this.#settleSurplus(row, intact);
    this.#stopWhenFull();
  }

  /** The tree's hash of this index, where the store knows one; the newest entry has its trusted hash already. */
  #treeHash(index: number, rows: StoredRow[]): string | undefined {
    if (index === this.#range.size - 1 && this.#range.trusted !== null) return undefined;
    return rows.find(({ treeHash }) => treeHash !== undefined)?.treeHash;
  }

  #expected(treeHash: string | undefined): Expected {
    return treeHash === undefined ? this.#chain.expected() : { hash: treeHash, sure: true, vouched: true };
  }

  /** Both leaves match the tree; the link between them must too. */
  #checkTreeLink(index: number, treeHash: string): void {
    const { hash, sure } = this.#chain.expected();
    if (!sure || hash === null || hash === treeHash) return;
    const detail = "The leaf is the tree's, but what it names as its predecessor is not.";
    this.#findings.add({ kind: "link_broken", index: index + 1, expected: treeHash, actual: hash, detail });
  }

  /** The row whose leaf has the hash expected, or where none is known, the one that says it is this entry. */
  #settleMatch(row: ReadRow, expected: Expected): Intact | null {
    const { index, hash } = row;
    if (row.claim === "none") {
      this.#findings.addUnreadable(index, row);
      this.#chain.openGap(index, { expected, holds: { kind: "reported" }, guess: null });
      return null;
    }
    const { leaf } = row;
    // The chain itself vouches for a leaf that names another log or index: it was sealed wrong.
    if (row.claim === "foreign") this.#findings.addMisrouted(index, leaf);
    if (row.claim === "displaced") this.#findings.addReordered(leaf.index, { found_at: index, place: row.place });
    assert(hash !== null, "a row with a leaf has its hash");
    this.#settleClosed(this.#chain.accept(index, { hash, prev: leaf.prev, vouched: expected.vouched }));
    if (row.claim === "own") {
      const checked = checkSections(this.#sha256, leaf, row.record);
      this.#findings.addSections(index, { leaf, checked, chain: this.#chain });
    }
    return { hash, prev: leaf.prev };
  }

  /** No row of this index has the leaf that belongs here. Answers the row that stands for it. */
  #settleGap(index: number, rows: ReadRow[], expected: Expected): ReadRow | null {
    const own = rows.find(({ claim }) => claim === "own" || claim === "none");
    const chosen = own ?? rows.find(({ claim }) => claim === "foreign") ?? rows[0] ?? null;
    const holds = this.#holding(chosen, expected);
    this.#chain.openGap(index, { expected, holds, guess: chosen?.claim === "own" ? chosen.leaf.prev : null });
    return chosen;
  }

  #holding(chosen: ReadRow | null, expected: Expected): Holding {
    if (chosen === null) return { kind: "nothing" };
    if (chosen.claim === "foreign") {
      this.#findings.addMisrouted(chosen.index, chosen.leaf);
      return { kind: "reported" };
    }
    if (chosen.claim === "displaced" && this.#isWalked(chosen.leaf.index)) return { kind: "displaced" };
    if (chosen.claim === "none" && !expected.sure) {
      this.#findings.addUnreadable(chosen.index, chosen);
      return { kind: "reported" };
    }
    return { kind: "changed", hash: chosen.hash };
  }

  /** A further row of an index. Displaced ones are kept: their place may turn up. */
  #settleSurplus(row: ReadRow, intact: Intact | null): void {
    const { index, hash, place } = row;
    if (row.claim === "foreign") return this.#findings.addMisrouted(index, row.leaf);
    if (row.claim === "displaced" && this.#isWalked(row.leaf.index)) return;
    const copied = hash === intact?.hash;
    const forked = row.claim === "own" && !copied && row.leaf.prev === intact?.prev && opens(this.#sha256, row);
    if (forked) return this.#findings.addFork(index, { hash, place });
    const what = copied ? "Another copy of this entry" : "Another row at this index";
    this.#findings.addExtra(index, { hash, what, place });
  }

  /** Keeps a leaf that says it belongs elsewhere in the range; false when this row has none. */
  #keepDisplaced(row: ReadRow): boolean {
    if (row.claim !== "displaced" || !this.#isWalked(row.leaf.index)) return false;
    const { leaf, index: at, place, hash } = row;
    assert(hash !== null, "a row with a leaf has its hash");
    const displaced: Displaced = { index: leaf.index, at, place, hash, prev: leaf.prev };
    this.#evidence.set(displaced, { leaf, checked: checkSections(this.#sha256, leaf, row.record) });
    this.#settleClosed(this.#chain.addDisplaced(displaced));
    return true;
  }

  #isWalked(index: number): boolean {
    return index >= this.#range.from && index < this.#range.size;
  }

  #settleClosed(closed: Closed[]): void {
    for (const { gap, leaf, disproved } of closed) {
      const { index, holds } = gap;
      this.#settleFound(leaf);
      if (holds.kind === "changed") {
        const what = "This row is not the leaf of its index, which lies elsewhere";
        this.#findings.addExtra(index, { hash: holds.hash, what, place: null });
      }
      if (disproved !== null) this.#findings.addDisproved(index - 1, disproved);
    }
  }

  /** The place of a displaced leaf was found: it is the one its index lacks. */
  #settleFound(displaced: Displaced): void {
    const evidence = this.#evidence.get(displaced);
    assert(evidence !== undefined, "a displaced leaf is kept with its evidence");
    this.#evidence.delete(displaced);
    const { index, at, place } = displaced;
    this.#findings.addReordered(index, { found_at: at, place });
    this.#findings.addSections(index, { ...evidence, chain: this.#chain });
  }
}
