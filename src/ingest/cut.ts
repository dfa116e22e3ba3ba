import type { SourceNode } from "../chain/source-text.ts";
import type { SectionText } from "../chain/record.ts";
import type { Event } from "../schema/event.ts";
import type { CutEvent } from "../schema/ledger.ts";

type Party = NonNullable<Event["on_behalf_of"]> | NonNullable<Event["targets"]>[number];

/**
 * Cuts a valid event into section texts. `text` is the body it was parsed from and `node` where its free values lie
 * there: these go into the sections character for character, everything else by value. Nothing is added.
 */
export function cutEvent(event: Event, { text, node }: { text: string; node: SourceNode }): CutEvent {
  const sections: SectionText[] = [];
  const add = (name: string, section: string | null) => section !== null && sections.push({ name, text: section });

  add("note", objectText({ id: event.id, reason: event.reason, error_message: event.outcome?.error_message }));
  addParty(add, "actor", event.actor, source(text, node.members?.get("actor"), "metadata"));
  if (event.on_behalf_of !== undefined) {
    addParty(add, "on_behalf_of", event.on_behalf_of, source(text, node.members?.get("on_behalf_of"), "metadata"));
  }
  const targets = node.members?.get("targets")?.items;
  event.targets?.forEach((target, n) => {
    addParty(add, `target/${n}`, target, source(text, targets?.[n], "metadata"));
  });
  if (event.context !== undefined) add("context", JSON.stringify(event.context));
  if (event.changes !== undefined) add("changes", changesText(event.changes, text, node.members?.get("changes")));
  add("metadata", source(text, node, "metadata"));

  return {
    id: event.id ?? null,
    action: event.action,
    category: event.category ?? null,
    event: eventText(event),
    sections,
  };
}

function eventText(event: Event): string {
  const { outcome } = event;
  return JSON.stringify({
    action: event.action,
    version: event.version,
    occurred_at: event.occurred_at,
    outcome: outcome && { result: outcome.result, error_code: outcome.error_code },
    actor: { type: event.actor.type },
    on_behalf_of: event.on_behalf_of && { type: event.on_behalf_of.type },
    targets: event.targets?.map(({ type, role }) => ({ type, role })),
  });
}

function addParty(
  add: (name: string, text: string | null) => unknown,
  name: string,
  party: Party,
  metadata: string | null,
): void {
  add(name, JSON.stringify({ id: party.id }));
  add(
    `${name}/detail`,
    objectText({ name: party.name, email: "email" in party ? party.email : undefined }, { metadata }),
  );
}

function changesText(changes: NonNullable<Event["changes"]>, text: string, node: SourceNode | undefined): string {
  const free = { before: source(text, node, "before"), after: source(text, node, "after") };
  const fields = changes.fields === undefined ? null : JSON.stringify(changes.fields);
  return objectText({}, { ...free, fields }) ?? "{}";
}

/** The source text of a free member, or null when it was not sent. */
function source(text: string, node: SourceNode | undefined, member: string): string | null {
  const span = node?.members?.get(member);
  return span === undefined ? null : text.slice(span.start, span.end);
}

/** The text of an object of `strings` and `texts` (already JSON) that are there; null when none is. */
function objectText(strings: Record<string, string | undefined>, texts: Record<string, string | null> = {}) {
  const members: string[] = [];
  for (const name in strings) {
    if (strings[name] !== undefined) members.push(`"${name}":${JSON.stringify(strings[name])}`);
  }
  for (const name in texts) if (typeof texts[name] === "string") members.push(`"${name}":${texts[name]}`);
  return members.length === 0 ? null : `{${members.join(",")}}`;
}
