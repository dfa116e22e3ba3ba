import type { Leaf } from "./leaf.ts";
import type { LooseRecord } from "./parse-record.ts";
import type { Absence } from "./record.ts";
import { commitment, isSectionName } from "./section.ts";
import {
  readChangesSection,
  readContextSection,
  readDetailSection,
  readEventSection,
  readIdSection,
  readMetadataSection,
  readNoteSection,
} from "./section-shape.ts";
import type { Sha256 } from "./sha256.ts";
import type { Break, BreakKind } from "./verify-report.ts";

type SectionBreak = Omit<Break, "index">;

/**
 * `action` and `metadata` are known when their sections open; `absences` are those the leaf commits and the record claims.
 */
export type CheckedSections = {
  breaks: SectionBreak[];
  absences: Absence[];
  action: string | null;
  metadata: string | null;
};

/**
 * Opens each section of a record against the commitments of its leaf. Sections that are neither there nor claimed to be
 * absent are unexplained; whether a claim holds is for the caller, who knows the entries that could be its cause.
 */
export function checkSections(sha256: Sha256, leaf: Leaf, record: LooseRecord): CheckedSections {
  const found: CheckedSections = { breaks: [], absences: [], action: null, metadata: null };
  const add = (kind: BreakKind, section: string, more: { detail: string; expected?: string; actual?: string }) =>
    found.breaks.push({ kind, section, ...more });

  for (const name in leaf.sections) {
    const expected = leaf.sections[name] as string;
    const section = record.sections[name];
    const absence = record.absent.length === 0 ? undefined : record.absent.find((one) => one.section === name);
    if (section === undefined && absence === undefined) {
      add("unexplained_gap", name, { detail: "The leaf commits this section; it is gone without a cause." });
    } else if (section === undefined && absence !== undefined) {
      found.absences.push(absence);
    } else if (section === null || section === undefined) {
      add("content_changed", name, { detail: "What stands in place of this section is no salt and text." });
    } else {
      const actual = commitment(sha256, { name, salt: section.salt, text: section.text });
      const claimed = "The section is said to be absent, but is there.";
      if (actual !== expected) {
        add("content_changed", name, { expected, actual, detail: "Salt and text do not open the commitment." });
      } else if (absence !== undefined) {
        add("content_changed", name, { detail: claimed });
      } else {
        const fault = shapeFault(name, section.text, { leaf, found });
        if (fault !== null) add("section_malformed", name, { detail: fault });
      }
    }
  }
  for (const name in record.sections) {
    if (!(name in leaf.sections)) add("content_changed", name, { detail: "The leaf commits no such section." });
  }
  for (const { section } of record.absent) {
    const detail = "The section is said to be absent, but the leaf never committed it.";
    if (!(section in leaf.sections)) add("content_changed", section, { detail });
  }
  if (!record.exact && found.breaks.length === 0) {
    found.breaks.push({ kind: "content_changed", detail: "The row around the leaf is not exactly a record." });
  }
  return found;
}

/** What is wrong with a text that opens its commitment; sets `action` and `metadata` from theirs. */
function shapeFault(
  name: string,
  text: string,
  { leaf, found }: { leaf: Leaf; found: CheckedSections },
): string | null {
  if (name !== "event") {
    if (!isShaped(name, text)) return "The text is not of this section's shape.";
    if (name === "metadata") found.metadata = text;
    return null;
  }
  const event = readEventSection(text);
  if (event === null) return "The text is not of this section's shape.";
  found.action = event.action;
  const category = event.category ?? "general";
  return category === leaf.category ? null : `The section says category ${category}, the leaf ${leaf.category}.`;
}

function isShaped(name: string, text: string): boolean {
  if (name === "note") return readNoteSection(text) !== null;
  if (name === "context") return readContextSection(text) !== null;
  if (name === "changes") return readChangesSection(text) !== null;
  if (name === "metadata") return readMetadataSection(text) !== null;
  if (name.endsWith("/detail")) return readDetailSection(text) !== null;
  return isSectionName(name) && readIdSection(text) !== null;
}
