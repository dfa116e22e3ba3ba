import { VERIFY_MAX_CAUSES } from "../limits.ts";
import type { Leaf } from "./leaf.ts";
import type { Absence } from "./record.ts";

const ERASURE_ACTION = "indelible.erasure.begun";
const RETENTION_ACTION = "indelible.retention.run";

/** `excused`: the claim names a fitting cause. `unknown`: the cause lies where this walk cannot see it. */
export type Verdict = { kind: "excused" } | { kind: "unknown"; why: string } | { kind: "unexcused"; why: string };

/** The list that a cause commits to, by its hash; `log` is the number of the log it is of, null where that is the cause's own. */
type NamedList = { sha256: string; log: number | null };

/**
 * An entry that sections name as the cause of their absence. `action` is null where its `event` section is gone, `list` is
 * `unseen` where its `metadata` section is.
 */
export type Cause = {
  index: number;
  source: Leaf["source"];
  action: string | null;
  sequencedAt: string;
  list: NamedList | "none" | "unseen";
};

/** A cause as its leaf and its opened sections show it. */
export function causeOf(leaf: Leaf, { action, metadata }: { action: string | null; metadata: string | null }): Cause {
  const { index, source, sequenced_at: sequencedAt } = leaf;
  return { index, source, action, sequencedAt, list: metadata === null ? "unseen" : listNamed(metadata) };
}

/** Judges the claim that a section of `leaf` is absent by this cause; whether its list names it is not looked at. */
export function judgeCause(leaf: Leaf, { section, cause }: Pick<Absence, "section" | "cause">, named: Cause): Verdict {
  const { index, source, action, sequencedAt } = named;
  if (source === "service" && action === null) {
    return { kind: "unknown", why: `the cause, entry ${index}, could not be read` };
  }
  if (source !== "service" || (action !== ERASURE_ACTION && action !== RETENTION_ACTION)) {
    return { kind: "unexcused", why: `entry ${index} is not one that lets sections go` };
  }
  if (action !== (cause === "erased" ? ERASURE_ACTION : RETENTION_ACTION)) {
    return { kind: "unexcused", why: `entry ${index} is not one by which a section is ${cause}` };
  }
  if (cause === "erased" && section === "event") {
    return { kind: "unexcused", why: "what an entry is of is about nobody: no erasure takes it" };
  }
  if (cause === "expired" && !hasPassed(leaf.keep_until, sequencedAt)) {
    return { kind: "unexcused", why: `it was to be kept until ${leaf.keep_until}` };
  }
  return { kind: "excused" };
}

/**
 * The entries that can be a cause of absence, kept as a walk meets them: it goes from newest to oldest, and a cause is
 * sealed after the entry it takes a section from.
 */
export class Causes {
  readonly #causes = new Map<number, Cause>();
  readonly #size: number;
  #overflown = false;

  constructor(size: number) {
    this.#size = size;
  }

  /** Only the ledger's own entries count; one whose `event` section is gone may have been any of them. */
  keep(cause: Cause): void {
    const { source, action } = cause;
    if (source !== "service") return;
    if (action !== null && action !== ERASURE_ACTION && action !== RETENTION_ACTION) return;
    if (this.#causes.size >= VERIFY_MAX_CAUSES) this.#overflown = true;
    else this.#causes.set(cause.index, cause);
  }

  /** The cause at an index, if one was met there. */
  at(index: number): Cause | undefined {
    return this.#causes.get(index);
  }

  /** Judges the claim that a section of `leaf` is absent. `isOpen` says whether an index still lacks its leaf. */
  judge(leaf: Leaf, { section, cause, by, log }: Absence, isOpen: (index: number) => boolean): Verdict {
    if (cause === "withheld") return { kind: "excused" };
    if (log !== undefined) return { kind: "unknown", why: `the cause, entry ${by}, lies in log ${log} of this org` };
    if (by === undefined || by <= leaf.index) return { kind: "unexcused", why: "it names no later entry as its cause" };
    if (by >= this.#size) return { kind: "unknown", why: `the cause, entry ${by}, lies above the range` };
    const named = this.#causes.get(by);
    if (named !== undefined) return judgeCause(leaf, { section, cause }, named);
    if (this.#overflown || isOpen(by)) return { kind: "unknown", why: `the cause, entry ${by}, could not be read` };
    return { kind: "unexcused", why: `entry ${by} is not one that lets sections go` };
  }
}

/** The list that a cause's metadata commits to. */
function listNamed(metadata: string): Cause["list"] {
  let value: { list?: { sha256?: unknown; log?: unknown } } | null;
  try {
    value = JSON.parse(metadata) as typeof value;
  } catch {
    return "none";
  }
  const { sha256, log = null } = value?.list ?? {};
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return "none";
  return log === null || Number.isSafeInteger(log) ? { sha256, log: log as number | null } : "none";
}

/** `keep_until` is the last day an entry is kept. */
function hasPassed(keepUntil: string, time: string): boolean {
  return keepUntil !== "forever" && time.slice(0, keepUntil.length) > keepUntil;
}
