import type { Absence, EntryRecord } from "./record.ts";
import { isPersonalSection } from "./section.ts";

/** The record as a reader without `personal:read` gets it: personal sections are absent with cause `withheld`. */
export function withholdPersonal(record: EntryRecord): EntryRecord {
  return withhold(record, isPersonalSection);
}

/** The record of an entry under quarantine: every section is absent with cause `withheld`, and the leaf stays. */
export function withholdAll(record: EntryRecord): EntryRecord {
  return withhold(record, () => true);
}

/** The record with the sections alone that `shown` names. */
export function withholdOthers(record: EntryRecord, shown: (name: string) => boolean): EntryRecord {
  return withhold(record, (name) => !shown(name));
}

function withhold(record: EntryRecord, hidden: (name: string) => boolean): EntryRecord {
  const names = Object.keys(record.sections);
  const taken = names.filter(hidden);
  if (taken.length === 0) return record;
  const kept = names.filter((name) => !hidden(name));
  const withheld = taken.map((section): Absence => ({ section, cause: "withheld" }));
  return {
    leaf: record.leaf,
    sections: Object.assign(
      Object.create(null) as EntryRecord["sections"],
      Object.fromEntries(kept.map((name) => [name, record.sections[name]])),
    ),
    absent: [...(record.absent ?? []), ...withheld],
  };
}
