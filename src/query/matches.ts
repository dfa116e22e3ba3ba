import type { OpenedEntry } from "../chain/open.ts";
import { findableWords } from "../store/free-words.ts";
import { type EntryFilter, pairOf, type ValueField } from "../store/match.ts";
import { occurredMsOf, quotedBy } from "../store/terms.ts";

/**
 * Whether a filter holds for an entry as its reader sees it: exactly, where the index only proposes. What is withheld from
 * the reader, erased or expired is not there: it is not found, and excluding it changes nothing.
 */
export function matches(filter: EntryFilter, entry: OpenedEntry): boolean {
  // Read once, and only for a filter that asks: it is most of the work.
  let texts: string[] | null = null;
  const hasWords = (values: readonly string[]) => {
    // Words hold no space, so one run of words within a text is one string within another.
    const found = (texts ??= findableWords(entry).map((words) => ` ${words.join(" ")} `));
    return values.some((value) => found.some((text) => text.includes(` ${value} `)));
  };
  return filter.every((clause) => {
    if (clause.field === "from") return occurredMsOf(entry) >= clause.at;
    if (clause.field === "to") return occurredMsOf(entry) <= clause.at;
    const { field, values, exclude } = clause;
    return exclude !== (field === "words" ? hasWords(values) : hasValue(entry, field, values));
  });
}

type Value = string | null | undefined;

function hasValue(entry: OpenedEntry, field: Exclude<ValueField, "words">, values: readonly string[]): boolean {
  const found = FOUND_BY[field](entry);
  return values.some((value) => found.includes(value));
}

const FOUND_BY: Record<Exclude<ValueField, "words">, (entry: OpenedEntry) => readonly Value[]> = {
  id: ({ id }) => [id],
  actor: ({ actor }) => [actor?.id],
  on_behalf_of: ({ on_behalf_of }) => [on_behalf_of?.id],
  action: ({ event }) => (event === null ? [] : [event.action, ...prefixesOf(event.action)]),
  target: ({ targets }) => targets.map(({ id }) => id),
  target_type: ({ targets }) => targets.map(({ type }) => type),
  about: ({ targets }) => targets.map(({ type, id }) => (id === null ? null : pairOf({ type, id }))),
  category: ({ leaf }) => [leaf.category],
  source: ({ leaf }) => [leaf.source],
  result: ({ event }) => (event === null ? [] : [event.outcome?.result ?? "success"]),
  ip: ({ context }) => [context?.["ip"]],
  session_id: ({ context }) => [context?.["session_id"]],
  request_id: ({ context }) => [context?.["request_id"]],
  quoted: quotedBy,
};

/** `user.*` holds for everything below `user`, not for `user` itself. */
function prefixesOf(action: string): string[] {
  return action.split(".").flatMap((_, n, parts) => (n === 0 ? [] : [`${parts.slice(0, n).join(".")}.*`]));
}
