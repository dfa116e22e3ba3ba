import { heldLines, namesLines, segmentsOver } from "../archive/segment.ts";
import { readRow } from "../chain/verify-row.ts";
import { sha256 } from "../sha256.ts";
import type { StoreFault } from "./compare-stores.ts";

/** Lines by index, from segments whose names vouch for them, and what is wrong with the others. */
export type Archived = { lines: Map<number, string>; faults: StoreFault[] };

/**
 * Entries `[from, to)` of a log as R2 itself lists and holds them, whatever the ledger knows of it. An object that holds
 * other bytes beside one that is whole is no fault of the archive's, unless another log's entries are in it.
 */
export async function readArchive(
  bucket: R2Bucket,
  log: string,
  { from, to }: { from: number; to: number },
): Promise<Archived> {
  const lines = new Map<number, string>();
  const faults: StoreFault[] = [];
  if (from >= to) return { lines, faults };
  const damaged = new Map<number, string>();
  const segments = await segmentsOver(bucket, log, { from, to });
  // Of two of the same entries the later one was written anew, without what went.
  for (const segment of segments.toSorted((a, b) => a.uploaded - b.uploaded)) {
    const { first, last, name } = segment;
    const held = (await heldLines(bucket, segment)) ?? [];
    const whole = held.length === last - first + 1 && namesLines(segment, held.join("\n"));
    const foreign = held.findIndex((line, n) => {
      const index = first + n;
      const asked = !whole || (index >= from && index < to);
      return asked && readRow(sha256, log, { index, line }).claim === "foreign";
    });
    if (foreign >= 0) faults.push({ at: "r2", kind: "misrouted", index: first + foreign, place: name });
    for (let index = Math.max(first, from); index <= last && index < to; index++) {
      if (!whole || foreign >= 0) damaged.set(index, name);
      else lines.set(index, held[index - first] as string);
    }
  }
  for (let index = from; index < to; index++) {
    if (lines.has(index)) continue;
    const place = damaged.get(index);
    const misrouted = faults.some((fault) => fault.kind === "misrouted" && fault.place === place);
    if (place === undefined) faults.push({ at: "r2", kind: "missing", index, place: "segment" });
    else if (!misrouted) faults.push({ at: "r2", kind: "damaged", index, place });
  }
  return { lines, faults };
}
