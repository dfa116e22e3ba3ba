import type { Walk } from "../chain/verify.ts";
import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { LOG_MAX_ENTRIES, PAGE_MAX_BYTES, VERIFY_PAGE_ENTRIES } from "../limits.ts";
import type { ColdLines } from "../query/cold-lines.ts";
import { logOf } from "../query/logs.ts";
import { rangesOf } from "../query/spans.ts";
import type { LogGrant } from "../schema/ledger.ts";
import { readEntries } from "../store/list-entries.ts";
import { grantFor } from "./confirm-faults.ts";
import { ledgerLines } from "./ledger-lines.ts";

/** Rows past the head: those that are still there when the ledger, asked again, has not grown over them. */
export async function addBeyond(config: Config, org: string, { grant, walked }: { grant: LogGrant; walked: Walk }) {
  const ranges = rangesOf(grant.placements, { low: grant.size, high: LOG_MAX_ENTRIES }, "desc");
  for (const { placement, low, high } of ranges) {
    const cell = config.cells.get(placement.cell);
    if (cell === undefined) continue;
    for (let top = high; top > low && !walked.progress().stopped; ) {
      const rows = await readEntries(cell, { placement, low, high: top, limit_bytes: PAGE_MAX_BYTES });
      if (rows.length === 0) break;
      const status = await callLedger(config, org, async (ledger) => await ledger.status(org));
      const size = status.ok ? status.value.size : grant.size;
      for (const { index, line, slot } of rows) {
        if (index >= size) walked.row({ index, line, place: `${placement.cell} entry_${slot}` });
      }
      top = rows.at(-1)?.index ?? low;
    }
  }
}

/** Entries below the head that D1 does not have yet, from the ledger itself, newest first. */
export async function addPending(
  config: Config,
  org: string,
  { walked, low, high }: { walked: Walk; low: number; high: number },
): Promise<number> {
  const first = Math.max(low, high - VERIFY_PAGE_ENTRIES);
  const lines = await ledgerLines(config, org, { first, high });
  for (let n = lines.length - 1; n >= 0; n--)
    walked.row({ index: first + n, line: lines[n] as string, place: "ledger" });
  return first;
}

/** Entries that are in R2 alone, newest first; one that it has lost is missing. */
export function addCold(walked: Walk, { first, lines }: ColdLines): void {
  for (let n = lines.length - 1; n >= 0; n--) {
    const line = lines[n] as string;
    if (line !== "") walked.row({ index: first + n, line, place: "archive" });
  }
}

/**
 * One page of rows below `high`, from every slot; answers the lowest index that is done. `cold`: entries below this index are in R2 alone, also where
 * they have become so since the grant was given; then nothing is added, for rows may be missing that nobody lost.
 */
export async function addRows(
  config: Config,
  org: string,
  { grant, walked, low: cold, high }: { grant: LogGrant; walked: Walk; low: number; high: number },
): Promise<{ high: number; cold: number }> {
  const first = Math.max(cold, high - VERIFY_PAGE_ENTRIES);
  const [range] = rangesOf(grant.placements, { low: first, high }, "desc");
  const cell = range === undefined ? undefined : config.cells.get(range.placement.cell);
  if (range === undefined || cell === undefined) throw new Error("every index has a placement and its cell");
  const rows = await readEntries(cell, { ...range, limit_bytes: PAGE_MAX_BYTES });
  // A page cut by bytes ends above the range's end; an empty one means that nothing is left there.
  const lowest = rows.at(-1)?.index ?? range.low;
  if (new Set(rows.map(({ index }) => index)).size < high - lowest) {
    // Asked after the rows: the ledger knew what was dropped by then. It is not D1 that says so, which may have lost them.
    const fresh = logOf(await grantFor(config, org), grant.number);
    if (fresh.ok && fresh.value.cold_before > cold) return { high, cold: Math.min(fresh.value.cold_before, high) };
  }
  for (const { index, line, slot } of rows) walked.row({ index, line, place: `${range.placement.cell} entry_${slot}` });
  return { high: lowest, cold };
}
