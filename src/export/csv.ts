import type { OpenedEntry, OpenedParty } from "../chain/open.ts";

const LINE_END = "\r\n";
/** With these a spreadsheet takes a text for a formula, or drops the character; with the last a guard is taken for a guard. */
const GUARDED = /^[=+\-@\t\r\n']/;

/** Before a text that UTF-8 does not hold, written as JSON; a text that begins so is written as JSON as well. */
const AS_JSON = "json:";

/**
 * A line of RFC 4180 in UTF-8. A text with half of a surrogate pair is `json:` and its JSON text. A field that begins with = + - @ tab CR LF or an apostrophe gets an apostrophe before it: to
 * read it back, take one leading apostrophe away, where there is one; where there is none, what follows a leading `json:` is JSON.
 */
function csvLine(fields: readonly string[]): string {
  return fields.map(csvField).join(",") + LINE_END;
}

function csvField(text: string): string {
  const whole = text.isWellFormed() && !text.startsWith(AS_JSON) ? text : AS_JSON + JSON.stringify(text);
  const guarded = GUARDED.test(whole) ? `'${whole}` : whole;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

type Column = [name: string, value: (entry: OpenedEntry) => string | number | null | undefined];

/** Free values stand as their JSON texts. What is not there, or withheld, is an empty field; `absent` tells which and why. */
const COLUMNS: readonly Column[] = [
  ["log", ({ leaf }) => leaf.log],
  ["index", ({ leaf }) => leaf.index],
  ["id", ({ id }) => id],
  ["sequenced_at", ({ leaf }) => leaf.sequenced_at],
  ["occurred_at", ({ event }) => event?.occurred_at ?? event?.received_at],
  ["received_at", ({ event }) => event?.received_at],
  ["source", ({ leaf }) => leaf.source],
  ["category", ({ leaf }) => leaf.category],
  ["action", ({ event }) => event?.action],
  ["version", ({ event }) => event?.version],
  ["actor_type", ({ actor }) => actor?.type],
  ["actor_id", ({ actor }) => actor?.id],
  ["actor_name", ({ actor }) => actor?.name],
  ["actor_email", ({ actor }) => actor?.email],
  ["actor_metadata", ({ actor }) => actor?.metadata],
  ["on_behalf_of_type", ({ on_behalf_of }) => on_behalf_of?.type],
  ["on_behalf_of_id", ({ on_behalf_of }) => on_behalf_of?.id],
  ["on_behalf_of_name", ({ on_behalf_of }) => on_behalf_of?.name],
  ["on_behalf_of_email", ({ on_behalf_of }) => on_behalf_of?.email],
  ["on_behalf_of_metadata", ({ on_behalf_of }) => on_behalf_of?.metadata],
  ["targets", ({ targets }) => (targets.length === 0 ? null : `[${targets.map(partyText).join(",")}]`)],
  ["result", ({ event }) => (event === null ? null : (event.outcome?.result ?? "success"))],
  ["error_code", ({ event }) => event?.outcome?.error_code],
  ["error_message", ({ note }) => note?.error_message],
  ["reason", ({ note }) => note?.reason],
  ["query", ({ note }) => note?.query],
  ["context", ({ context }) => (context === null ? null : JSON.stringify(context))],
  ["changes_before", ({ changes }) => changes?.before],
  ["changes_after", ({ changes }) => changes?.after],
  ["changes_fields", ({ changes }) => (changes?.fields === undefined ? null : JSON.stringify(changes.fields))],
  ["metadata", ({ metadata }) => metadata],
  ["keep_until", ({ leaf }) => leaf.keep_until],
  ["key", ({ event }) => event?.key],
  ["entry_hash", ({ hash }) => hash],
  ["absent", ({ absent }) => (absent.length === 0 ? null : JSON.stringify(absent))],
];

/** The first line of a file: the names of its columns. */
export const CSV_HEAD = csvLine(COLUMNS.map(([name]) => name));

/** An entry as its reader may see it. */
export function csvEntry(entry: OpenedEntry): string {
  return csvLine(COLUMNS.map(([, value]) => String(value(entry) ?? "")));
}

/** Its metadata is JSON text already. */
function partyText({ metadata, ...party }: OpenedParty): string {
  const text = JSON.stringify(party);
  return metadata === undefined ? text : `${text.slice(0, -1)},"metadata":${metadata}}`;
}
