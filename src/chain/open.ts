import { base64url } from "./encoding.ts";
import { entryHash, type Leaf, type ParsedLeaf, parseLeaf } from "./leaf.ts";
import type { Absence, EntryRecord } from "./record.ts";
import {
  type ChangesSection,
  type DetailSection,
  type EventSection,
  type NoteSection,
  readChangesSection,
  readContextSection,
  readDetailSection,
  readEventSection,
  readIdSection,
  readMetadataSection,
  readNoteSection,
} from "./section-shape.ts";
import type { Sha256 } from "./sha256.ts";

export { entryText } from "./entry-text.ts";
export { parseRecord, readRecord } from "./parse-record.ts";
export { withholdAll, withholdPersonal } from "./withhold.ts";

/** `id` is null when its section is absent; `metadata` is source text. */
export type OpenedParty = DetailSection & { type: string; id: string | null };
export type OpenedTarget = OpenedParty & { role?: string };

/** `by` is the index of the cause, or for a quarantine, which no store knows of, its id. */
type OpenedAbsence = Omit<Absence, "by"> & { by?: number | string };

/**
 * An entry with its sections read. `event` and `actor` are null when the `event` section is absent, which only expiry
 * does, to all sections; `unexplained` names sections the leaf commits and the record neither holds nor excuses.
 */
export type OpenedEntry = {
  leaf: Leaf;
  hash: string;
  event: EventSection | null;
  id: string | null;
  note: NoteSection | null;
  actor: OpenedParty | null;
  on_behalf_of: OpenedParty | null;
  targets: OpenedTarget[];
  context: Record<string, string> | null;
  changes: ChangesSection | null;
  metadata: string | null;
  absent: OpenedAbsence[];
  unexplained: string[];
};

/**
 * Reads the sections of a record. It does not check commitments: that is what verification does. A section that is
 * there but not of its shape, and a leaf that is not canonical, are refused. `parsed`: its leaf, from who has parsed it already.
 */
export function openEntry(
  sha256: Sha256,
  record: EntryRecord,
  parsed: ParsedLeaf = parseLeaf(record.leaf),
): { ok: true; entry: OpenedEntry } | { ok: false; why: string } {
  if (parsed.kind === "unknown_version") return { ok: false, why: `its leaf is of version ${parsed.version}` };
  if (parsed.kind === "malformed") return { ok: false, why: `its leaf is malformed: ${parsed.why}` };
  const bad = new Set<string>();
  const read = <T>(name: string, reader: (text: string) => T | null): T | null => {
    const section = record.sections[name];
    if (section === undefined) return null;
    const value = reader(section.text);
    if (value === null) bad.add(name);
    return value;
  };
  const party = <T extends { type: string }>(name: string, part: T): T & OpenedParty => ({
    ...part,
    id: read(name, readIdSection),
    ...read(`${name}/detail`, readDetailSection),
  });
  const { leaf } = parsed;
  const event = read("event", readEventSection);
  const note = read("note", readNoteSection);
  const absent = record.absent ?? [];
  const entry: OpenedEntry = {
    leaf,
    hash: base64url(entryHash(sha256, record.leaf)),
    event,
    id: note?.id ?? event?.id ?? null,
    note,
    actor: event === null ? null : party("actor", { type: event.actor.type }),
    on_behalf_of: event?.on_behalf_of === undefined ? null : party("on_behalf_of", { type: event.on_behalf_of.type }),
    targets: (event?.targets ?? []).map(({ type, role }, n) =>
      party(`target/${n}`, role === undefined ? { type } : { type, role }),
    ),
    context: read("context", readContextSection),
    changes: read("changes", readChangesSection),
    metadata: read("metadata", readMetadataSection),
    absent,
    unexplained: Object.keys(leaf.sections).filter(
      (name) => record.sections[name] === undefined && !absent.some(({ section }) => section === name),
    ),
  };
  if (bad.size === 0) return { ok: true, entry };
  return { ok: false, why: `not of their shape: ${[...bad].join(", ")}` };
}
