import type { Absence, EntryRecord, Section } from "./record.ts";
import { isSectionName } from "./section.ts";

/** A stored line as far as it can be read: what is not of its shape is null, and then it is not `exact`. */
export type LooseRecord = {
  leaf: string | null;
  sections: Record<string, Section | null>;
  absent: Absence[];
  exact: boolean;
};

const SALT_PATTERN = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Reads a stored line; null when it is not a record: exactly its members, each of its shape, every text well-formed. */
export function parseRecord(line: string): EntryRecord | null {
  const { leaf, sections, absent, exact } = readRecord(line);
  if (!exact || leaf === null) return null;
  // Exact means that no section is null.
  const whole = sections as EntryRecord["sections"];
  return absent.length === 0 ? { leaf, sections: whole } : { leaf, sections: whole, absent };
}

/** Reads what there is of a line that may have been tampered with, so that the right part can be blamed. */
export function readRecord(line: string): LooseRecord {
  return readRecordOf(parseObject(line));
}

/** The same of a line that was parsed; null for one that is no object. */
export function readRecordOf(value: Record<string, unknown> | null): LooseRecord {
  // Without a prototype, no name reaches anything but a section.
  const record: LooseRecord = { leaf: null, sections: emptySections(), absent: [], exact: true };
  if (value === null) return { ...record, exact: false };
  const { leaf, sections, absent } = value;
  if (isText(leaf)) record.leaf = leaf;
  const members = absent === undefined ? 2 : 3;
  const sectionsExact = readSections(sections, record.sections);
  const absentExact = absent === undefined || readAbsent(absent, record.absent);
  record.exact = record.leaf !== null && Object.keys(value).length === members && sectionsExact && absentExact;
  return record;
}

function readSections(value: unknown, sections: LooseRecord["sections"]): boolean {
  if (!isObject(value)) return false;
  let exact = true;
  for (const [name, section] of Object.entries(value)) {
    const read = readSection(section);
    sections[name] = read;
    if (read === null || !isSectionName(name)) exact = false;
  }
  return exact;
}

function readSection(value: unknown): Section | null {
  if (!isObject(value) || Object.keys(value).length !== 2) return null;
  const { salt, text } = value;
  return typeof salt === "string" && SALT_PATTERN.test(salt) && isText(text) ? { salt, text } : null;
}

function readAbsent(value: unknown, absent: Absence[]): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  const seen = new Set<string>();
  for (const item of value as unknown[]) {
    const absence = readAbsence(item);
    if (absence === null || seen.has(absence.section)) return false;
    seen.add(absence.section);
    absent.push(absence);
  }
  return true;
}

function readAbsence(value: unknown): Absence | null {
  if (!isObject(value)) return null;
  const { section, cause, by, log } = value;
  const members = 2 + (by === undefined ? 0 : 1) + (log === undefined ? 0 : 1);
  if (Object.keys(value).length !== members) return null;
  if (typeof section !== "string" || !isSectionName(section)) return null;
  if (cause === "withheld") return members === 2 ? { section, cause } : null;
  if (cause !== "erased" && cause !== "expired") return null;
  if (typeof by !== "number" || !Number.isSafeInteger(by) || by < 0) return null;
  if (log === undefined) return { section, cause, by };
  // An org's first log continues none, so no cause in it is of another log's entries.
  return typeof log === "number" && Number.isSafeInteger(log) && log > 1 ? { section, cause, by, log } : null;
}

/** A lone surrogate has no UTF-8: it would hash like U+FFFD, so that one text could stand in for another. */
function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed();
}

function emptySections(): LooseRecord["sections"] {
  return Object.create(null) as LooseRecord["sections"];
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
