import { openSealed, type SealedEntryView } from "../chain/open-sealed.ts";
import type { EntryRecord } from "../chain/record.ts";
import { ERASURE_MAX_NAMES, ERASURE_NAME_MAX_CHARACTERS } from "../limits.ts";
import { KEY_ACTOR } from "../schema/caller.ts";
import type { NewErasure, Subject } from "../schema/erasure.ts";
import { quotedBy } from "../store/terms.ts";

/** Whom to look for. `quotes`: whether what the service says of its own names them, by their id or what else they are called. */
export type Wanted = {
  subject: Subject;
  sections: NewErasure["sections"];
  quotes: (said: readonly string[]) => boolean;
};

/** What of a line is about the subject, of what it still holds, and what it calls them. */
export type About = { sections: string[]; names: string[] };

const NOTHING: About = { sections: [], names: [] };

/**
 * Reads what of a stored line is about a subject: the sections of each part they have in the entry, what else was asked for of
 * such an entry, and the note of an entry of the service's own that quotes them. Most lines of clients are not even parsed.
 */
export function aboutSubject(line: string, { subject, sections, quotes }: Wanted): About {
  if (!line.includes(storedForm(subject.id)) && !line.includes(OWN)) return NOTHING;
  const { sections: held } = JSON.parse(line) as EntryRecord;
  const entry = openSealed(line);
  const own = entry.leaf.source === "service";
  const found = new Set<string>();
  const called: string[] = [];
  for (const { name, party } of own ? peopleIn(entry) : partsOf(entry)) {
    if (party.type !== subject.type || party.id !== subject.id) continue;
    // What the service says of its own acts names nobody, and what it did rests on it.
    const also = own ? sections.filter((section) => section === "note" || section === "context") : sections;
    for (const section of [name, `${name}/detail`, ...also]) found.add(section);
    for (const text of [party.name, party.email]) if (text !== undefined) called.push(text);
  }
  if (own && quotes(saidIn(entry))) found.add("note");
  return { sections: [...found].filter((name) => Object.hasOwn(held, name)).sort(), names: called };
}

/** What was asked, and why: of a reader, of who placed a hold, began an export, and so on. */
function saidIn(entry: SealedEntryView): string[] {
  return [...quotedBy(entry), entry.note?.reason ?? ""];
}

/** Adds what a subject is called. `left`: how often that was more than is looked for, or too long. */
export function withNames(known: readonly string[], more: readonly string[]): { names: string[]; left: number } {
  const names = new Set(known);
  let left = 0;
  for (const text of more) {
    if (names.has(text) || text.trim() === "") continue;
    if (names.size < ERASURE_MAX_NAMES && text.length <= ERASURE_NAME_MAX_CHARACTERS) names.add(text);
    else left++;
  }
  return { names: [...names], left };
}

/** A text in a section's text in a line: escaped twice. */
function storedForm(text: string): string {
  const once = JSON.stringify(text).slice(1, -1);
  return JSON.stringify(once).slice(1, -1);
}

/** As it stands in the leaf of a line that the service wrote of its own. */
const OWN = '\\"source\\":\\"service\\"';

/** Of the service's own entries: whoever read, and whom or what a token is for. Keys, holds and the like are its own. */
function peopleIn(entry: SealedEntryView) {
  const roles = entry.event?.targets ?? [];
  return partsOf(entry).filter(({ name, party }) => {
    if (name === "actor") return party.type !== KEY_ACTOR && party.type !== SERVICE_ACTOR;
    return roles[Number(name.slice("target/".length))]?.role !== undefined;
  });
}
const SERVICE_ACTOR = "service";

function partsOf({ actor, on_behalf_of, targets }: SealedEntryView) {
  const parts = [
    { name: "actor", party: actor },
    { name: "on_behalf_of", party: on_behalf_of },
    ...targets.map((party, n) => ({ name: `target/${n}`, party })),
  ];
  return parts.flatMap(({ name, party }) => (party === null ? [] : [{ name, party }]));
}
