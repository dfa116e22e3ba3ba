import type { OpenedEntry, OpenedParty, OpenedTarget } from "./open.ts";
import { summaryOf } from "./summary.ts";

const DEFAULT_RESULT = "success";
const DEFAULT_VERSION = 1;

/**
 * The JSON text of an entry as the API answers it: the event's members with defaults, then what sealing added, and a sentence of it. Free
 * values stand there as the text that was sent, character for character.
 */
export function entryText(entry: OpenedEntry): string {
  const { leaf, event, note } = entry;
  const category: Members[number] = ["category", json(leaf.category)];
  return object([
    ...(event === null ? [category] : eventMembers(entry, event)),
    ["context", json(entry.context ?? undefined)],
    ["changes", changesText(entry.changes)],
    ["reason", json(note?.reason)],
    ["metadata", entry.metadata ?? undefined],
    ["index", json(leaf.index)],
    ["log", json(leaf.log)],
    ["source", json(leaf.source)],
    ["sequenced_at", json(leaf.sequenced_at)],
    ["received_at", json(event?.received_at)],
    ["delivery", json(event?.delivery)],
    ["entry_hash", json(entry.hash)],
    ["prev", json(leaf.prev)],
    ["keep_until", json(leaf.keep_until)],
    ["key", json(event?.key)],
    ["batch", json(event?.batch)],
    ["position", json(event?.position)],
    ["absent", json(absences(entry))],
    ["summary", json(summaryOf(entry))],
  ]);
}

type Members = [name: string, text: string | undefined][];

function eventMembers(entry: OpenedEntry, event: NonNullable<OpenedEntry["event"]>): Members {
  const outcome = object([
    ["result", json(event.outcome?.result ?? DEFAULT_RESULT)],
    ["error_code", json(event.outcome?.error_code)],
    ["error_message", json(entry.note?.error_message)],
  ]);
  return [
    ["id", json(entry.id)],
    ["action", json(event.action)],
    ["category", json(entry.leaf.category)],
    ["category_sent", json(event.category_sent)],
    ["occurred_at", json(event.occurred_at ?? event.received_at)],
    ["version", json(event.version ?? DEFAULT_VERSION)],
    ["actor", partyText(entry.actor)],
    ["on_behalf_of", partyText(entry.on_behalf_of)],
    ["targets", event.targets === undefined ? undefined : `[${entry.targets.map(partyText).join(",")}]`],
    ["outcome", outcome],
  ];
}

function partyText(party: OpenedParty | OpenedTarget | null): string | undefined {
  if (party === null) return undefined;
  return object([
    ["type", json(party.type)],
    ["id", json(party.id)],
    ["role", json("role" in party ? party.role : undefined)],
    ["name", json(party.name)],
    ["email", json(party.email)],
    ["metadata", party.metadata],
  ]);
}

function changesText(changes: OpenedEntry["changes"]): string | undefined {
  if (changes === null) return undefined;
  return object([
    ["before", changes.before],
    ["after", changes.after],
    ["fields", json(changes.fields)],
  ]);
}

function absences({ absent, unexplained }: OpenedEntry): unknown[] {
  return [...absent, ...unexplained.map((section) => ({ section, cause: "unexplained" }))];
}

/** An object of the members that are there; names are ours and need no escapes. */
function object(members: Members): string {
  let text = "";
  for (const [name, value] of members) if (value !== undefined) text += `${text === "" ? "" : ","}"${name}":${value}`;
  return `{${text}}`;
}

function json(value: unknown): string | undefined {
  return JSON.stringify(value) as string | undefined;
}
