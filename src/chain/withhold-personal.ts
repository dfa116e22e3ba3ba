import type { Absence, EntryRecord } from "./record.ts";
import { isPersonalSection } from "./section.ts";

/** The record as a reader without `personal:read` gets it: personal sections are absent with cause `withheld`. */
export function withholdPersonal(record: EntryRecord): EntryRecord {
  const names = Object.keys(record.sections);
  const personal = names.filter(isPersonalSection);
  if (personal.length === 0) return record;
  const kept = names.filter((name) => !isPersonalSection(name));
  const withheld = personal.map((section): Absence => ({ section, cause: "withheld" }));
  return {
    leaf: record.leaf,
    sections: Object.assign(
      Object.create(null) as EntryRecord["sections"],
      Object.fromEntries(kept.map((name) => [name, record.sections[name]])),
    ),
    absent: [...(record.absent ?? []), ...withheld],
  };
}
