import { VERIFY_MAX_CAUSES } from "../limits.ts";
import type { Leaf } from "./leaf.ts";
import type { Absence } from "./record.ts";

const ERASURE_ACTION = "indelible.erasure.begun";
const RETENTION_ACTION = "indelible.retention.run";

/** `excused`: the claim names a fitting cause. `unknown`: the cause lies where this walk cannot see it. */
export type Verdict = { kind: "excused" } | { kind: "unknown"; why: string } | { kind: "unexcused"; why: string };

/**
 * The entries that can be a cause of absence, kept as a walk meets them: it goes from newest to oldest, and a cause is
 * sealed after the entry it takes a section from.
 */
export class Causes {
  readonly #causes = new Map<number, { action: string | null; sequencedAt: string }>();
  readonly #size: number;
  #overflown = false;

  constructor(size: number) {
    this.#size = size;
  }

  /** Only the ledger's own entries count; one whose `event` section is gone may have been any of them. */
  keep(leaf: Leaf, action: string | null): void {
    if (leaf.source !== "service") return;
    if (action !== null && action !== ERASURE_ACTION && action !== RETENTION_ACTION) return;
    if (this.#causes.size >= VERIFY_MAX_CAUSES) this.#overflown = true;
    else this.#causes.set(leaf.index, { action, sequencedAt: leaf.sequenced_at });
  }

  /** Judges the claim that a section of `leaf` is absent. `isOpen` says whether an index still lacks its leaf. */
  judge(leaf: Leaf, { cause, by }: Absence, isOpen: (index: number) => boolean): Verdict {
    if (cause === "withheld") return { kind: "excused" };
    if (by === undefined || by <= leaf.index) return { kind: "unexcused", why: "it names no later entry as its cause" };
    if (by >= this.#size) return { kind: "unknown", why: `the cause, entry ${by}, lies above the range` };
    const named = this.#causes.get(by);
    if (named === undefined) {
      if (this.#overflown || isOpen(by)) return { kind: "unknown", why: `the cause, entry ${by}, could not be read` };
      return { kind: "unexcused", why: `entry ${by} is not one that lets sections go` };
    }
    if (named.action === null) return { kind: "unknown", why: `the cause, entry ${by}, could not be read` };
    const fits = named.action === (cause === "erased" ? ERASURE_ACTION : RETENTION_ACTION);
    if (!fits) return { kind: "unexcused", why: `entry ${by} is not one by which a section is ${cause}` };
    if (cause === "expired" && !hasPassed(leaf.keep_until, named.sequencedAt)) {
      return { kind: "unexcused", why: `it was to be kept until ${leaf.keep_until}` };
    }
    return { kind: "excused" };
  }
}

/** `keep_until` is the last day an entry is kept. */
function hasPassed(keepUntil: string, time: string): boolean {
  return keepUntil !== "forever" && time.slice(0, keepUntil.length) > keepUntil;
}
