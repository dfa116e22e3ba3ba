import { openSealed } from "../chain/open-sealed.ts";
import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import {
  LOG_MAX_ENTRIES,
  PAGE_MAX_BYTES,
  REPAIR_MAX_BYTES,
  REPAIR_MAX_ENTRIES,
  REPAIR_MAX_ROWS,
  VERIFY_PAGE_ENTRIES,
} from "../limits.ts";
import type { LedgerPlacement, ReadGrant } from "../schema/ledger.ts";
import { readEntries } from "../store/list-entries.ts";
import type { Mend } from "../store/mend-rows.ts";
import { termKeyOf, termsOf } from "../store/terms.ts";
import { byIndex, cellOf, judgeRange } from "./judge-range.ts";
import { judgeRows, type Right, type RowFault } from "./judge-rows.ts";
import { ledgerLines } from "./ledger-lines.ts";
import { vouchedLines } from "./vouched-lines.ts";

/** Entries `[from, to)`; `expect` is the entry hash of index `to - 1`, trusted because an earlier call answered it. */
export type RepairRange = { from: number; to: number; expect: string };

export type PlacedFault = RowFault & { cell: string; key: number };
export type PlacedMend = { placement: LedgerPlacement; mend: Mend };

/** What a call found: every fault, what mends them, and where the next call goes on (null: nothing is left). */
export type Findings = {
  faults: PlacedFault[];
  mends: PlacedMend[];
  checked: number;
  from: number;
  next: { to: number; expect: string } | null;
};

type Search = { config: Config; org: string; grant: ReadGrant; found: Findings; bytes: number };

/**
 * Compares rows of D1 with the ledger's own lines, newest first, and writes nothing. Each line is first checked against
 * the one after it, down from the head: a line that is not the one named, or does not open, is refused by its index,
 * for then nobody knows what to restore.
 */
export async function findFaults(
  config: Config,
  org: string,
  { grant, range }: { grant: ReadGrant; range: RepairRange },
): Promise<Result<Findings>> {
  const found: Findings = { faults: [], mends: [], checked: 0, from: range.to, next: null };
  const search: Search = { config, org, grant, found, bytes: 0 };
  await searchOutside(search);
  let { to, expect } = range;
  // What is cold has no row to be compared.
  const from = Math.min(Math.max(range.from, grant.cold_before), to);
  while (to > from && !full(search)) {
    const first = Math.max(from, to - VERIFY_PAGE_ENTRIES);
    const rights = await rightLines(search, { first, to, expect });
    if (!rights.ok) return rights;
    to = await searchPage(search, rights.value, first);
    expect = prevOf(rights.value, to - first) ?? expect;
  }
  found.from = to;
  if (to > from) found.next = { to, expect };
  return ok(found);
}

function full({ found, bytes }: Search): boolean {
  return found.faults.length >= REPAIR_MAX_ROWS || bytes >= REPAIR_MAX_BYTES || found.checked >= REPAIR_MAX_ENTRIES;
}

function prevOf(rights: readonly Right[], place: number): string | null {
  return rights[place]?.prev ?? null;
}

/** The ledger's own lines of `[first, to)`, each vouched for by the next. */
async function rightLines(
  { config, org, grant }: Search,
  { first, to, expect }: { first: number; to: number; expect: string },
): Promise<Result<Right[]>> {
  let lines: string[];
  try {
    lines = await ledgerLines(config, org, { first, high: to });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // What R2 lost or changed stays so; anything else may pass.
    const damaged = why.startsWith("segment ");
    const detail = `The ledger cannot give out entries ${first} to ${to - 1}, so nothing was repaired${damaged ? `: ${why}` : ""}.`;
    return damaged ? refuse("unprocessable", detail) : refuse("overloaded", detail, { retry_after_s: 5 });
  }
  const vouched = vouchedLines(grant, { first, lines, expect });
  if (vouched.ok) return vouched;
  return refuse("unprocessable", `${vouched.why}, so nothing was repaired.`);
}

/** Judges the indexes of a page, newest first; answers the lowest that was. */
async function searchPage(search: Search, rights: readonly Right[], first: number): Promise<number> {
  const { config, grant, org } = search;
  const termKey = termKeyOf(config.indexKey, org);
  for await (const { placement, index, right, due, verdict } of judgeRange(config, grant, { first, rights })) {
    if (full(search)) return index + 1;
    search.found.checked++;
    if (verdict.faults.length === 0) continue;
    const { line, slot } = right;
    const put = verdict.put ? { line, slot, terms: termsOf(termKey, openSealed(line)) } : null;
    const when = due ? "below" : "beyond";
    add(search, placement, { faults: verdict.faults, mend: { index, clear: verdict.clear, put, when } });
  }
  return first;
}

/** Rows under the log's number where no entry of it lies in that cell: before a placement, after it, past the head. */
async function searchOutside(search: Search): Promise<void> {
  const { config, org, grant } = search;
  for (const [n, placement] of grant.placements.entries()) {
    const next = grant.placements[n + 1]?.first_index;
    const ranges = [
      { low: next ?? grant.size, high: LOG_MAX_ENTRIES },
      { low: 0, high: placement.first_index },
    ];
    for (const { low, high } of ranges) {
      for (let top = high; top > low && !full(search); ) {
        const rows = await readEntries(cellOf(config, placement), {
          placement,
          low,
          high: top,
          limit_bytes: PAGE_MAX_BYTES,
        });
        if (rows.length === 0) break;
        // Asked after reading: what the log has grown to meanwhile is no stranger.
        const status = await callLedger(config, org, async (ledger) => await ledger.status(org));
        const size = next === undefined && status.ok ? Math.max(status.value.size, grant.size) : low;
        for (const [index, held] of byIndex(rows)) {
          if (low !== 0 && index < size) continue;
          const { faults, clear } = judgeRows({ log: grant.log, index, right: null, due: false }, held, []);
          const when = next === undefined && low !== 0 ? "beyond" : "always";
          add(search, placement, { faults, mend: { index, clear, put: null, when } });
        }
        top = rows.at(-1)?.index ?? low;
      }
    }
  }
}

function add(search: Search, placement: LedgerPlacement, { faults, mend }: { faults: RowFault[]; mend: Mend }): void {
  const { found } = search;
  const key = placement.org_number * LOG_MAX_ENTRIES + mend.index;
  for (const fault of faults) {
    found.faults.push({ ...fault, cell: placement.cell, key });
    search.bytes += fault.found?.length ?? 0;
  }
  found.mends.push({ placement, mend });
}
