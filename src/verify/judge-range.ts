import type { Config } from "../env.ts";
import { assert } from "../errors.ts";
import { PAGE_MAX_BYTES } from "../limits.ts";
import { rangesOf } from "../query/spans.ts";
import type { LedgerPlacement, LogGrant } from "../schema/ledger.ts";
import { readEntries, type StoredRow } from "../store/list-entries.ts";
import { readIndexed } from "../store/mend-rows.ts";
import { judgeRows, type Right, type Verdict } from "./judge-rows.ts";

/** One index judged. `due`: its row has to be in D1 already. */
type Judged = { placement: LedgerPlacement; index: number; right: Right; due: boolean; verdict: Verdict };

/**
 * Compares the rows of D1 at the indexes `first…` with what has to lie there, newest first, in every placement. What is cold need
 * not be there, and until its month's slot is dropped it is: neither is judged.
 */
export async function* judgeRange(
  config: Config,
  log: LogGrant,
  { first, rights }: { first: number; rights: readonly Right[] },
): AsyncGenerator<Judged> {
  const range = { low: Math.max(first, log.cold_before), high: first + rights.length };
  for (const { placement, low, high } of rangesOf(log.placements, range, "desc")) {
    const cell = cellOf(config, placement);
    const rows = await rowsBetween(cell, { placement, low, high });
    const indexed = await readIndexed(cell, { placement, low, high });
    for (let index = high - 1; index >= low; index--) {
      const right = rights[index - first];
      assert(right !== undefined, "every index of a page has its line");
      const due = index < log.visible;
      const at = { log: log.log, index, right, due };
      const verdict = judgeRows(at, rows.get(index) ?? [], indexed.get(index) ?? []);
      yield { placement, index, right, due, verdict };
    }
  }
}

async function rowsBetween(
  cell: D1Database,
  { placement, low, high }: { placement: LedgerPlacement; low: number; high: number },
): Promise<Map<number, StoredRow[]>> {
  const all: StoredRow[] = [];
  for (let top = high; top > low; ) {
    const rows = await readEntries(cell, { placement, low, high: top, limit_bytes: PAGE_MAX_BYTES });
    all.push(...rows);
    top = rows.at(-1)?.index ?? low;
  }
  return byIndex(all);
}

export function byIndex(rows: readonly StoredRow[]): Map<number, StoredRow[]> {
  const map = new Map<number, StoredRow[]>();
  for (const row of rows) map.set(row.index, [...(map.get(row.index) ?? []), row]);
  return map;
}

export function cellOf(config: Config, { cell }: LedgerPlacement): D1Database {
  const bound = config.cells.get(cell);
  if (bound === undefined) throw new Error(`binding ${cell} is missing`);
  return bound;
}
