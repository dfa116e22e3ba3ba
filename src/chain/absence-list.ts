import { ABSENCE_LIST_MAX_BYTES, ABSENCE_LIST_MAX_ENTRIES, LOG_MAX_ENTRIES } from "../limits.ts";
import { hex, utf8 } from "./encoding.ts";
import { isSectionName } from "./section.ts";
import type { Sha256 } from "./sha256.ts";

/** What a cause lets go: section names by index, both in the order of the list. */
export type AbsenceList = ReadonlyMap<number, readonly string[]>;

const LINE_PATTERN = /^(0|[1-9]\d{0,9}) (\S+)$/;

/** The text of a list: a line `<index> <section>` for each section, sorted by index, then by UTF-16 code units, each once. */
export function absenceListText(absent: AbsenceList): string {
  let text = "";
  for (const index of [...absent.keys()].sort((a, b) => a - b)) {
    for (const section of [...new Set(absent.get(index))].sort()) text += `${index} ${section}\n`;
  }
  return text;
}

/** What a cause commits to: SHA-256 of the text, in lower-case hexadecimal digits. It also names the list where it is kept. */
export function absenceListHash(sha256: Sha256, text: string): string {
  return hex(sha256(utf8(text)));
}

/** Reads the text of a list; null unless it is exactly that of one, within its limits. */
export function parseAbsenceList(text: string): AbsenceList | null {
  if (!text.endsWith("\n") || text.length > ABSENCE_LIST_MAX_BYTES) return null;
  const list = new Map<number, string[]>();
  let last = { index: -1, section: "" };
  for (const line of text.slice(0, -1).split("\n")) {
    const [, digits, section] = LINE_PATTERN.exec(line) ?? [];
    if (digits === undefined || section === undefined || !isSectionName(section)) return null;
    const index = Number(digits);
    if (index >= LOG_MAX_ENTRIES || index < last.index) return null;
    if (index > last.index) list.set(index, [section]);
    else if (section <= last.section) return null;
    else list.get(index)?.push(section);
    last = { index, section };
  }
  return list.size <= ABSENCE_LIST_MAX_ENTRIES ? list : null;
}

/** Whether a list names a section of an entry. */
export function isListed(list: AbsenceList, { index, section }: { index: number; section: string }): boolean {
  return list.get(index)?.includes(section) ?? false;
}
