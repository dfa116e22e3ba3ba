import { type SourceMember, sourceMembers, withoutSpace } from "../chain/source-members.ts";
import { EVENT_SHAPE, scanSource } from "../chain/source-text.ts";
import { EVENT_MAX_DEPTH } from "../limits.ts";
import type { STATE_REASONS } from "../schema/history.ts";

/** A target as history asks for it. */
export type Thing = { type: string; id: string };

export type StateReason = (typeof STATE_REASONS)[number];

/** How many entries give a reason, and the first one; null for a reason of the whole history. */
type Doubt = { reason: StateReason; count: number; first: { log: string; index: number } | null };

/**
 * A thing as its entries leave it. `exists` is null when they do not say; `members` are the values as they were sent, the
 * last that is known of each, null when there are none to know.
 */
export type ThingState = {
  complete: boolean;
  exists: boolean | null;
  members: SourceMember[] | null;
  because: Doubt[];
};

/** What one entry says of the thing, its first target or one of the `other`: an entry text of the API, read. A null stands as `null`. */
type Said = {
  at: { log: string; index: number };
  other: boolean;
  result: string;
  changes: { before?: string; after?: string; fields?: string[] } | null;
  absent: boolean;
};

/**
 * Rebuilds a thing from the texts of all entries that name it, oldest first. Only entries whose first target it is tell of its
 * changes; of changes with another first, nobody knows whether they are its. It is complete only when the entries prove it:
 * the first says that nothing was before, each further one what was, and that is what the entries until then left.
 */
export function thingState(texts: readonly string[], thing: Thing, doubts: readonly StateReason[] = []): ThingState {
  const rebuilt = new Rebuilt();
  for (const reason of doubts) rebuilt.doubt(reason, null);
  for (const text of texts) {
    const said = saidOf(text, thing);
    if ("unreadable" in said) rebuilt.doubt("unreadable", said.at);
    else rebuilt.take(said);
  }
  return rebuilt.state();
}

function saidOf(text: string, { type, id }: Thing): Said | { unreadable: true; at: Said["at"] } {
  const entry = JSON.parse(text) as {
    log: string;
    index: number;
    targets?: { type?: unknown; id?: unknown }[];
    outcome?: { result?: string };
    changes?: { fields?: string[] };
    absent?: { section?: string }[];
  };
  const at = { log: entry.log, index: entry.index };
  const [target] = entry.targets ?? [];
  const scanned = scanSource(text, EVENT_SHAPE, { maxDepth: EVENT_MAX_DEPTH });
  if (target === undefined || !scanned.ok) return { unreadable: true, at };
  const other = target.type !== type || target.id !== id;
  const result = entry.outcome?.result ?? "success";
  const absent = (entry.absent ?? []).some(({ section }) => section === "changes");
  if (entry.changes === undefined) return { at, other, result, changes: null, absent };
  const spans = scanned.node.members?.get("changes")?.members;
  const source = (name: "before" | "after") => {
    const span = spans?.get(name);
    return span === undefined ? {} : { [name]: text.slice(span.start, span.end) };
  };
  const { fields } = entry.changes;
  const changes = { ...source("before"), ...source("after"), ...(fields === undefined ? {} : { fields }) };
  return { at, other, result, changes, absent };
}

/** Members by name; a name may have been sent several times. */
type Members = Map<string, SourceMember[]>;

class Rebuilt {
  readonly #doubts = new Map<StateReason, Doubt>();
  #members: Members = new Map();
  #exists: boolean | null = null;

  doubt(reason: StateReason, at: Said["at"] | null): void {
    const { count, first } = this.#doubts.get(reason) ?? { count: 0, first: at };
    this.#doubts.set(reason, { reason, count: count + 1, first });
  }

  take({ at, other, result, changes, absent }: Said): void {
    if (result === "denied") return;
    if (result !== "success") {
      if (changes !== null || absent) this.doubt("failed", at);
      return;
    }
    if (other) {
      if (changes !== null || absent) this.doubt("other_target", at);
      return;
    }
    if (changes === null) return this.doubt(absent ? "absent" : "no_changes", at);
    const { fields = [] } = changes;
    const [before, after] = [membersOf(changes.before), membersOf(changes.after)];
    if (before === "none" || after === "none") return this.doubt("not_members", at);
    const named = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])]);
    // A field may be a path: `address.city`, `/address/city`.
    const unnamed = fields.filter(
      (field) => !named.has(field) && !named.has(field.split(/[./]/).find((part) => part !== "") ?? ""),
    );
    if (unnamed.length > 0 || (before === null && after === null)) this.doubt("no_values", at);
    for (const name of unnamed) this.#members.delete(name);
    // With `fields` a null may stand for a part that was not sent: only without them it says that there was, or is, nothing.
    const whole = changes.fields === undefined;
    if (before !== null) this.#compare(before, after, at);
    else if (after !== null && whole && changes.before === "null") this.#begin(at);
    else if (after !== null) this.doubt("no_before", at);
    if (before !== null && after === null && !(whole && changes.after === "null")) this.doubt("no_after", at);
    this.#apply(before, after, whole);
  }

  state(): ThingState {
    if (this.#exists === null && !this.#doubts.has("too_long")) this.doubt("no_beginning", null);
    const complete = this.#doubts.size === 0;
    const members = this.#exists === true ? [...this.#members.values()].flat() : null;
    return { complete, exists: this.#exists, members, because: [...this.#doubts.values()] };
  }

  /** Whether what an entry says was before is what the entries until then left, so far as they say. */
  #compare(before: Members, after: Members | null, at: Said["at"]): void {
    if (this.#exists === null) this.doubt("no_beginning", at);
    const whole = this.#doubts.size === 0;
    const differs = [...before].some(([name, values]) => {
      const known = this.#members.get(name);
      return known === undefined ? whole : !alike(known, values);
    });
    // What came to be must not have been there: it would stand in `before`.
    const sprung = [...(after?.keys() ?? [])].some((name) => !before.has(name) && this.#members.has(name));
    if (differs || sprung || this.#exists === false) this.doubt("contradicts", at);
  }

  /** Nothing was before: neither may the entries until then have left anything. */
  #begin(at: Said["at"]): void {
    if (this.#exists === true) this.doubt("contradicts", at);
    this.#members = new Map();
  }

  #apply(before: Members | null, after: Members | null, whole: boolean): void {
    if (before !== null && after === null && whole) {
      this.#members = new Map();
      this.#exists = false;
      return;
    }
    if (after === null) {
      for (const name of before?.keys() ?? []) this.#members.delete(name);
      return;
    }
    for (const name of before?.keys() ?? []) if (!after.has(name)) this.#members.delete(name);
    for (const [name, values] of after) this.#members.set(name, values);
    this.#exists = true;
  }
}

function membersOf(text: string | undefined): Members | "none" | null {
  if (text === undefined || text === "null") return null;
  const members = sourceMembers(text);
  return members === null ? "none" : Map.groupBy(members, ({ name }) => name);
}

/** Whether values are the same text, white space between tokens aside: 1.0 and 1.00 are two. */
function alike(a: readonly SourceMember[], b: readonly SourceMember[]): boolean {
  return a.length === b.length && a.every(({ text }, n) => withoutSpace(text) === withoutSpace(b[n]?.text ?? ""));
}
