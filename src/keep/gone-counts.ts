import type { Leaf } from "../chain/leaf.ts";
import type { EntryRecord } from "../chain/record.ts";
import { absenceCauseOf, type Removal } from "../schema/keep.ts";
import type { RunTotals } from "../schema/retention.ts";

/** Entries and sections that went, by category and UTC month of sequencing. */
export type GoneCounts = RunTotals["counts"];

/** `quoting`: of an entry of the service's own it was the note alone, which quoted somebody. */
type Gone = Pick<Leaf, "category" | "sequenced_at"> & { sections: number; quoting: boolean };

/** Adds entries to counts. */
export function addGone(counts: GoneCounts, gone: readonly Omit<Gone, "quoting">[]): GoneCounts {
  const rows = gone.map(({ category, sequenced_at, sections }) => {
    return { category, month: sequenced_at.slice(0, "2026-11".length), entries: 1, sections };
  });
  return joinCounts(counts, rows);
}

export function joinCounts(counts: GoneCounts, more: GoneCounts): GoneCounts {
  const by = new Map<string, GoneCounts[number]>();
  for (const { category, month, entries, sections } of [...counts, ...more]) {
    const name = `${category} ${month}`;
    const known = by.get(name) ?? { category, month, entries: 0, sections: 0 };
    by.set(name, { ...known, entries: known.entries + entries, sections: known.sections + sections });
  }
  return [...by.values()];
}

/** What went in all, of counts or by causes. */
export function sumOf(counts: readonly { entries: number; sections: number }[]): { entries: number; sections: number } {
  return counts.reduce(
    (sum, { entries, sections }) => ({ entries: sum.entries + entries, sections: sum.sections + sections }),
    { entries: 0, sections: 0 },
  );
}

/** What of these lines is gone by a removal's cause, whenever it went. */
export function goneBy(removal: Removal, lines: Iterable<string>): Gone[] {
  const cause = absenceCauseOf(removal);
  return [...lines].flatMap((line) => {
    const { leaf, absent = [] } = JSON.parse(line) as EntryRecord;
    const went = absent.filter(({ by, log }) => by === cause.by && log === cause.log);
    const { source, category, sequenced_at } = JSON.parse(leaf) as Leaf;
    const quoting = source === "service" && went.every(({ section }) => section === "note");
    return went.length === 0 ? [] : [{ category, sequenced_at, sections: went.length, quoting }];
  });
}
