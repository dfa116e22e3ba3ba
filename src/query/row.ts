import { openEntry, type OpenedEntry, readRecord, withholdAll, withholdPersonal } from "../chain/open.ts";
import { type Leaf, type ParsedLeaf, parseLeaf } from "../chain/leaf.ts";
import type { EntryRecord } from "../chain/record.ts";
import { count } from "../meter.ts";
import { sha256 } from "../sha256.ts";
import { matches } from "./matches.ts";
import { NEVER_WITHHELD } from "./never-withheld.ts";

/**
 * A stored row as its reader may see it. `entry`: with the record it was read from, without what is withheld. `raw`: of our
 * log and index, but of a format this version does not know; `text` is what is answered in its place. `refused`: not what
 * was asked for; nothing of it is in `text`.
 */
export type Row =
  | { kind: "entry"; entry: OpenedEntry; record: EntryRecord }
  | { kind: "raw"; text: string }
  | { kind: "refused"; text: string; why: string };

/** What a row is read for: a log, whether personal sections are shown, the id of the quarantine it is under. */
export type View = { log: string; personal: boolean; quarantine: string | null };

/**
 * Opens a stored row for a reader of one log. A row whose leaf names another log or another index is refused and
 * counted: showing it would be the worst thing this service could do (seed of every misplaced log).
 */
export function openRow({ index, line }: { index: number; line: string }, view: View): Row {
  const { log } = view;
  const { leaf: text, sections, absent, exact } = readRecord(line);
  if (text === null) return refused({ log, index }, "it is not a record");
  const parsed = parseLeaf(text);
  if (parsed.kind === "malformed") return refused({ log, index }, `its leaf is malformed: ${parsed.why}`);
  // A leaf of any version says these two in the same place; one that does not is not known to be ours.
  const leaf = parsed.kind === "leaf" ? parsed.leaf : (JSON.parse(text) as Partial<Leaf>);
  if (leaf.log !== log || leaf.index !== index) {
    count("audit_cross_org_refusals_total", { at: "read" });
    return refused({ log, index }, "it names another");
  }
  if (parsed.kind === "unknown_version") return raw(leaf, { line, text, view }, `version ${parsed.version}`);
  if (!exact) return raw(leaf, { line, text, view }, "a record of this shape");
  // Exact means that no section is null.
  const whole = sections as EntryRecord["sections"];
  const record = absent.length === 0 ? { leaf: text, sections: whole } : { leaf: text, sections: whole, absent };
  const seen = view.quarantine !== null && isNeverWithheld(record, parsed) ? { ...view, quarantine: null } : view;
  const shown = shownOf(record, seen);
  const opened = openEntry(sha256, shown, parsed);
  if (!opened.ok) return raw(leaf, { line, text, view }, `a section of this shape (${opened.why})`);
  return { kind: "entry", entry: underQuarantine(opened.entry, seen), record: shown };
}

function isNeverWithheld(record: EntryRecord, parsed: ParsedLeaf): boolean {
  const opened = openEntry(sha256, record, parsed);
  return opened.ok && matches(NEVER_WITHHELD, opened.entry);
}

function shownOf(record: EntryRecord, { personal, quarantine }: View): EntryRecord {
  if (quarantine !== null) return withholdAll(record);
  return personal ? record : withholdPersonal(record);
}

function underQuarantine(entry: OpenedEntry, { quarantine }: View): OpenedEntry {
  if (quarantine === null) return entry;
  return {
    ...entry,
    absent: entry.absent.map((absence) => (absence.cause === "withheld" ? { ...absence, by: quarantine } : absence)),
  };
}

const LEAF_MEMBERS = ["category", "keep_until", "prev", "sequenced_at", "source"] as const;

/** Sections that cannot be told apart are shown to those alone who may see all of them. */
function raw(leaf: Partial<Leaf>, { line, text, view }: { line: string; text: string; view: View }, what: string): Row {
  count("audit_rows_unreadable_total", { kind: "unknown" });
  const members = LEAF_MEMBERS.flatMap((name) => (typeof leaf[name] === "string" ? [[name, leaf[name]]] : []));
  const whole = view.personal && view.quarantine === null;
  const answered = {
    index: leaf.index,
    log: leaf.log,
    ...Object.fromEntries(members),
    unreadable: `${what} is not known here`,
    raw: whole ? line : JSON.stringify({ leaf: text }),
  };
  return { kind: "raw", text: JSON.stringify(answered) };
}

function refused({ log, index }: { log: string; index: number }, why: string): Row {
  count("audit_rows_unreadable_total", { kind: "refused" });
  const text = JSON.stringify({ index, log, unreadable: `what is stored here is not this entry: ${why}` });
  return { kind: "refused", text, why };
}
