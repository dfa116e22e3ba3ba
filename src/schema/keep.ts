import type { SealedEntryView } from "../chain/open-sealed.ts";
import type { Cause } from "../chain/redact.ts";
import type { Absence } from "../chain/record.ts";
import type { ServiceAction } from "../chain/summary.ts";
import type { Act } from "./act.ts";

/** Why sections go: for good, or because their time is over. */
type Going = "erased" | "expired";

/** What of a list its cause says: how many entries and sections it names, under the hash it is kept by. */
type ListSummary = { sha256: string; entries: number; sections: number };

/**
 * A cause to be sealed. What expires was to be kept until before the day `before`, which has come; what is erased has none.
 * `log` is the number of the log whose entries the list names, `holds_version` that of the holds it was made with. Under the name `once`, with this list
 * and while these holds stand, one is sealed, however often it is asked for; `again`: none that was not sealed before.
 */
export type NewCause = {
  cause: Going;
  log: number;
  before?: string;
  list: ListSummary;
  holds_version: number;
  act: Omit<Act, "action" | "category" | "forever"> & { action: CauseAction };
  once: string;
  again?: boolean;
};

type CauseAction = Extract<ServiceAction, "indelible.erasure.begun" | "indelible.retention.run">;

/** What is let go of: sections of entries of log `log`, by the entry `by` of log `by_log`, which commits to the list of this hash. */
export type Removal = { cause: Going; log: number; before?: string; by: number; by_log: number; list: string };

/** A removal that is not over, as its ledger remembers it. */
export type UnderWay = Pick<Removal, "by" | "by_log" | "log" | "list">;

/** What lines say of a removal: the log of its cause only where that is another one than theirs. */
export function absenceCauseOf({ cause, by, by_log, log }: Removal): Cause {
  return by_log === log ? { cause, by } : { cause, by, log: by_log };
}

/** Texts that name somebody, and who they are where reads of their own are meant as well. */
export type Forgetting = { texts: string[]; viewer: { type: string; id: string } | null };

/** An act of the service whose note goes: what its ledger lists of it forgets the words. `target`: the id of the first; `at` in ms. */
export type Unsaid = { index: number; cause: Absence["cause"]; action: string; target: string; at: number };

/** An entry whose note goes as an act; null where it is none, or nobody can tell any more which one it was. */
export function unsaidOf(
  { leaf, event, targets }: Pick<SealedEntryView, "leaf" | "event" | "targets">,
  { index, cause }: Pick<Unsaid, "index" | "cause">,
): Unsaid | null {
  if (leaf.source !== "service" || event === null) return null;
  return { index, cause, action: event.action, target: targets[0]?.id ?? "", at: Date.parse(leaf.sequenced_at) };
}

/** A stored run of entries `first..last`, both inclusive; `name` is its key in R2. */
export type NamedSegment = { first: number; last: number; name: string };

/**
 * A segment that was written anew without what is `absent` of its entries. `ids` and `batches` are those of the entries, whose
 * receipts forget what was sent, and of `hidden` the id itself; `unsaid`, the acts among them whose words go. `segment` null: of a log before the newest, of which the ledger names none.
 * `holder` has the lease: a repair that read these entries before is over.
 */
export type Rewritten = {
  removal: Removal;
  holder: string;
  segment: { old: string; name: string; first: number } | null;
  absent: [index: number, sections: readonly string[]][];
  ids: string[];
  hidden: string[];
  unsaid: Unsaid[];
  batches: string[];
  holds_version: number;
};
