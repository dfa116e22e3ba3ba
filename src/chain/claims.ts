import { ABSENCE_LIST_MAX_ENTRIES, VERIFY_CLAIMS_MAX_BYTES, VERIFY_MAX_CAUSES } from "../limits.ts";
import { absenceListHash, isListed, parseAbsenceList } from "./absence-list.ts";
import { ClaimLog } from "./claim-log.ts";
import { placeInOrg } from "./continuation.ts";
import type { Leaf } from "./leaf.ts";
import type { Sha256 } from "./sha256.ts";
import { type Cause, judgeCause, type Verdict } from "./verify-causes.ts";

/** A claim that names an entry as its cause. */
export type Claim = { section: string; cause: "erased" | "expired"; by: number; log?: number };

/** Sections of a log that are said to be absent by one entry: of them `hardest` is of the leaf to be kept the longest. */
export class Claimed {
  readonly log: string;
  readonly cause: "erased" | "expired";
  /** Where the cause lies: the number of its log in the org, and its index there. */
  readonly at: { log: number; by: number };
  readonly first: { index: number; section: string };
  hardest: Leaf;
  sections = 0;
  #hasEvent = false;
  #overfull = false;
  readonly #kept = new ClaimLog();

  constructor(leaf: Leaf, { section, cause, at }: { section: string; cause: Claimed["cause"]; at: Claimed["at"] }) {
    this.log = leaf.log;
    this.cause = cause;
    this.at = at;
    this.first = { index: leaf.index, section };
    this.hardest = leaf;
    this.add(leaf, section);
  }

  get bytes(): number {
    return this.#kept.bytes;
  }

  add(leaf: Leaf, section: string): void {
    this.sections++;
    if (section === "event") this.#hasEvent = true;
    // "forever" sorts after every day.
    if (leaf.keep_until > this.hardest.keep_until) this.hardest = leaf;
    if (this.#kept.entries > ABSENCE_LIST_MAX_ENTRIES) this.#overfull = true;
    else this.#kept.add(leaf.index, section);
  }

  /** Judges these by the cause alone; null is one that nobody could look at. */
  judge(cause: Cause | null): Verdict {
    const section = this.#hasEvent ? "event" : this.first.section;
    if (cause !== null) return judgeCause(this.hardest, { section, cause: this.cause }, cause);
    return { kind: "unknown", why: `the cause, entry ${this.at.by}, is out of sight` };
  }

  /** Judges whether the list with this text, null where it is not to be had, is the one named and names all these. */
  judgeList(
    sha256: Sha256,
    { named, text, why }: { named: Cause["list"]; text: string | null; why?: string },
  ): Verdict {
    const { by } = this.at;
    if (named === "unseen") return { kind: "unknown", why: `the list that entry ${by} names could not be read` };
    if (named === "none") return { kind: "unexcused", why: `entry ${by} names no list of what goes` };
    if ((named.log ?? this.at.log) !== placeInOrg(this.log).number) {
      return { kind: "unexcused", why: `the list that entry ${by} names is of another log` };
    }
    if (text === null) return { kind: "unknown", why: why ?? `the list that entry ${by} names is not there` };
    if (absenceListHash(sha256, text) !== named.sha256) {
      return { kind: "unexcused", why: `what lies in place of the list that entry ${by} names is another one` };
    }
    const list = parseAbsenceList(text);
    if (list === null) return { kind: "unexcused", why: `the list that entry ${by} names is none` };
    if (this.#overfull) return { kind: "unexcused", why: `more entries say so than the list of entry ${by} can name` };
    for (const claim of this.#kept.sections()) {
      if (isListed(list, claim)) continue;
      const which = `${claim.section} of entry ${claim.index}`;
      return { kind: "unexcused", why: `the list that entry ${by} names does not have ${which}` };
    }
    return { kind: "excused" };
  }
}

/** Claims of absence by cause. What they take grows with causes, and by a few bytes with entries; it has an end. */
export class Claims {
  readonly #claims = new Map<string, Claimed[]>();
  #count = 0;
  #bytes = 0;

  /** Takes a claim; false where there are too many to keep in mind. */
  add(leaf: Leaf, { section, cause, by, log }: Claim): boolean {
    if (this.#bytes >= VERIFY_CLAIMS_MAX_BYTES) return false;
    const at = { log: log ?? placeInOrg(leaf.log).number, by };
    const there = this.#claims.get(keyOf(at)) ?? [];
    const known = there.find((one) => one.cause === cause && one.log === leaf.log);
    if (known !== undefined) {
      const before = known.bytes;
      known.add(leaf, section);
      this.#bytes += known.bytes - before;
      return true;
    }
    if (this.#count >= VERIFY_MAX_CAUSES) return false;
    const claimed = new Claimed(leaf, { section, cause, at });
    this.#claims.set(keyOf(at), [...there, claimed]);
    this.#count++;
    this.#bytes += claimed.bytes;
    return true;
  }

  /** Hands over what names the entry at this place. */
  take(at: Claimed["at"]): Claimed[] {
    const there = this.#claims.get(keyOf(at)) ?? [];
    this.#claims.delete(keyOf(at));
    this.#drop(there);
    return there;
  }

  get size(): number {
    return this.#count;
  }

  /** Hands over what names an entry of the log of this number, null for all there is. */
  takeAll(log: number | null = null): Claimed[] {
    const all = [...this.#claims.values()].flat().filter(({ at }) => log === null || at.log === log);
    for (const { at } of all) this.take(at);
    return all;
  }

  #drop(claims: readonly Claimed[]): void {
    this.#count -= claims.length;
    for (const { bytes } of claims) this.#bytes -= bytes;
  }
}

function keyOf({ log, by }: Claimed["at"]): string {
  return `${log} ${by}`;
}
