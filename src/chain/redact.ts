import type { Absence, EntryRecord } from "./record.ts";

/** Why sections go: `log` is there where the cause lies in a later log than the line. */
export type Cause = { cause: "erased" | "expired"; by: number; log?: number };

/**
 * A record line without those of `sections` that it holds: each becomes an absence by this cause, and the leaf stays. Done
 * again it changes nothing. The line has to be one that this service wrote.
 */
export function redactLine(line: string, sections: readonly string[], { cause, by, log }: Cause): string {
  const record = JSON.parse(line) as EntryRecord;
  const gone = sections.filter((name) => Object.hasOwn(record.sections, name));
  if (gone.length === 0) return line;
  const kept = Object.entries(record.sections).filter(([name]) => !gone.includes(name));
  const added = gone.map((section): Absence => ({ section, cause, by, ...(log === undefined ? {} : { log }) }));
  const absent = [...(record.absent ?? []), ...added].sort((a, b) => (a.section < b.section ? -1 : 1));
  return JSON.stringify({ leaf: record.leaf, sections: Object.fromEntries(kept), absent } satisfies EntryRecord);
}
