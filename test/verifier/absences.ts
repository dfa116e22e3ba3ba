import { absenceListHash, absenceListText } from "../../src/chain/absence-list.ts";
import { edited, sha256, type TestEvent } from "../chain/support.ts";
import { textFile } from "./support.ts";

export type Gone = ReadonlyMap<number, readonly string[]>;

/** Every index of a range, with these sections. */
export function goneOf(from: number, to: number, sections: readonly string[] = ["note"]): Gone {
  return new Map(Array.from({ length: to - from }, (_, n) => [from + n, sections]));
}

/** The entry that is the cause of what goes. */
export function causeEvent(
  cause: "erased" | "expired",
  gone: Gone,
  { metadata, log }: { metadata?: string; log?: number } = {},
): TestEvent {
  const sections = [...gone.values()].flat().length;
  const list = { sha256: absenceListHash(sha256, absenceListText(gone)), entries: gone.size, sections, log };
  return {
    source: "service",
    category: "general",
    action: cause === "erased" ? "indelible.erasure.begun" : "indelible.retention.run",
    sections: [{ name: "metadata", text: metadata ?? JSON.stringify({ list }) }],
  };
}

/** Where the list lies, and its bytes. */
export function listFile(gone: Gone): [path: string, bytes: Uint8Array] {
  const text = absenceListText(gone);
  return [`absences/${absenceListHash(sha256, text)}`, textFile(text)];
}

/** The lines without what is gone. */
export function redacted(
  lines: readonly string[],
  gone: Gone,
  claim: { cause: "erased" | "expired"; by: number; log?: number },
): string[] {
  return lines.map((line, index) => {
    const sections = gone.get(index) ?? [];
    if (sections.length === 0) return line;
    return edited({ index, line }, (record) => {
      for (const section of sections) delete record.sections[section];
      record.absent = sections.map((section) => ({ section, ...claim }));
    }).line;
  });
}
