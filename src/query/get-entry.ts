import { entryText } from "../chain/open.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { ID_MAX_CHARACTERS, PAGE_MAX_BYTES, VISIBLE_WAIT_MAX_MS } from "../limits.ts";
import type { LogGrant, ReadGrant } from "../schema/ledger.ts";
import { findEntries, readEntry, type Row as StoredRow } from "../store/list-entries.ts";
import type { EntryFilter } from "../store/match.ts";
import { coldAt, coldById } from "./cold-entry.ts";
import { cellOf, logsOf, monthsOf } from "./logs.ts";
import { matches } from "./matches.ts";
import { restricted } from "./restriction.ts";
import { openRow, type Row } from "./row.ts";
import { quarantineAt, rangesOf } from "./spans.ts";
import { knownTermKey } from "./term-key.ts";
import { type Reader, type Traced, traced } from "./traced.ts";

/**
 * One entry by its index (all digits; of the newest log, or of the one of this number) or its event's id, as JSON text. An entry that is sequenced but not yet projected
 * is waited for, at most 5 s. Null when the log has none; that answer is traced as well.
 */
export async function getEntry(
  config: Config,
  reader: Reader,
  idOrIndex: string,
  number: number | null = null,
): Promise<Result<Traced<string | null>>> {
  return traced<string | null>(config, reader, {
    route: "events.get",
    filter: entryAsked(idOrIndex, number),
    read: async (grant) => {
      const found = await findEntry(config, reader, { grant, idOrIndex, number });
      if (!found.ok) return found;
      if (found.value === null) return ok({ answer: null, results: 0, range: null });
      const { row } = found.value;
      const answer = row.kind === "entry" ? entryText(row.entry) : row.text;
      return ok({ answer, results: 1, range: rangeAnswered(grant, found.value) });
    },
  });
}

/** What the trace of a read says was asked for. */
export function entryAsked(idOrIndex: string, number: number | null): string {
  // No id is longer; what is asked through a binding may be any text.
  const event = idOrIndex.slice(0, ID_MAX_CHARACTERS);
  return new URLSearchParams({ event, ...(number === null ? {} : { log: String(number) }) }).toString();
}

/** And what was answered: indexes in a trace are of the log it stands in. */
export function rangeAnswered(grant: ReadGrant, { index, number }: FoundEntry): { from: number; to: number } | null {
  return number === grant.number ? { from: index, to: index } : null;
}

/** A found entry as its reader may see it, its index and the number of its log. Of one that the archive has lost, `row` says so. */
export type FoundEntry = { row: Row; index: number; number: number };

/** More than one only when tokens of two ids are alike. */
const ID_MAX_ENTRIES = 10;
const BY_INDEX = /^\d{1,10}$/;

/**
 * An entry by index or id; one that is sequenced and not yet projected is waited for. Null when the log has none, or none
 * that this reader may see.
 */
export async function findEntry(
  config: Config,
  { org, caller }: Pick<Reader, "org" | "caller">,
  { grant, idOrIndex, number = null }: { grant: ReadGrant; idOrIndex: string; number?: number | null },
): Promise<Result<FoundEntry | null>> {
  const { size, visible } = grant;
  const entry = await find(config, org, { grant, visible, idOrIndex, number });
  if (entry !== null) return ok(entry);
  if (visible < size) {
    const waited = await callLedger(config, org, (ledger) => ledger.waitVisible(org, size, VISIBLE_WAIT_MAX_MS));
    if (!waited.ok) return waited;
    const late = await find(config, org, { grant, visible: waited.value, idOrIndex, number });
    if (late !== null) return ok(late);
  }
  return number === null && !BY_INDEX.test(idOrIndex)
    ? findCold(config, { org, caller }, { grant, id: idOrIndex })
    : ok(null);
}

/** An entry by its id in R2 alone, where there is no index. */
async function findCold(
  config: Config,
  { org, caller }: Pick<Reader, "org" | "caller">,
  { grant, id }: { grant: ReadGrant; id: string },
): Promise<Result<FoundEntry | null>> {
  const logs = logsOf(grant);
  if (logs.every(({ cold_before }) => cold_before === 0)) return ok(null);
  const found = await coldById(config, { org, caller }, { logs, grant, id });
  if (!found.ok || found.value === null) return found as Result<null>;
  const { log, row } = found.value;
  return ok(judge(row, { log, grant, filter: filterOf(id) }));
}

function filterOf(id: string): EntryFilter {
  return [{ field: "id", values: [id], exclude: false }];
}

type Wanted = { grant: ReadGrant; visible: number; idOrIndex: string; number: number | null };

/** An index is of the newest log unless a number says another; an id is looked for in all of them. */
async function find(
  config: Config,
  org: string,
  { grant, visible, idOrIndex, number }: Wanted,
): Promise<FoundEntry | null> {
  const newest = { ...grant, visible };
  const everywhere = number === null && !BY_INDEX.test(idOrIndex);
  for (const log of logsOf(newest)) {
    if (!everywhere && log.number !== (number ?? grant.number)) continue;
    const found = await findIn(config, org, { log, grant, idOrIndex });
    if (found !== null) return found;
  }
  return null;
}

async function findIn(
  config: Config,
  org: string,
  { log, grant, idOrIndex }: { log: LogGrant; grant: ReadGrant; idOrIndex: string },
): Promise<FoundEntry | null> {
  const { visible } = log;
  const months = monthsOf(log);
  const byIndex = BY_INDEX.test(idOrIndex);
  const index = Number(idOrIndex);
  const bounds = byIndex ? { low: index, high: Math.min(index + 1, visible) } : { low: log.cold_before, high: visible };
  const filter = byIndex ? [] : filterOf(idOrIndex);
  if (byIndex && index < log.cold_before) {
    return judge(await coldAt(config, org, { log, grant, index }), { log, grant, filter });
  }
  for (const { placement, low, high } of rangesOf(log.placements, bounds, "desc")) {
    const cell = cellOf(config, placement);
    const range = { placement, low, high, months };
    const wanted = { termKey: knownTermKey(config, org), filter, limit: ID_MAX_ENTRIES, max_bytes: PAGE_MAX_BYTES };
    const stored = byIndex ? [await readEntry(cell, { ...range, index })] : await findEntries(cell, range, wanted);
    for (const one of stored) {
      const found = one === null ? null : judge(one, { log, grant, filter });
      if (found !== null) return found;
    }
  }
  return null;
}

/** A stored row as what was asked for; null when it is not that, or not for this reader. */
function judge(
  stored: StoredRow,
  { log, grant, filter }: { log: LogGrant; grant: ReadGrant; filter: EntryFilter },
): FoundEntry | null {
  const { index } = stored;
  const row = openRow(stored, { log: log.log, personal: grant.personal, quarantine: quarantineAt(log, index) });
  if (!mayAnswer(row, { filter, grant })) return null;
  // In a list it stands like this as well.
  const lost = index < log.cold_before && stored.line === "";
  if (row.kind === "refused" && !lost) throw new ForeignRow(`the row at index ${index} of ${log.log}: ${row.why}`);
  return { row, index, number: log.number };
}

/** An id within a quarantine is withheld, so it finds nothing there; for a restricted reader no row exists that cannot be read. */
function mayAnswer(row: Row, { filter, grant }: { filter: EntryFilter; grant: ReadGrant }): boolean {
  if (row.kind === "entry") return matches(restricted(filter, grant), row.entry);
  return grant.restriction === null && (filter.length === 0 || row.kind === "refused");
}

/** A stored row that is not what was asked for; it is never answered. */
class ForeignRow extends Error {
  override name = "ForeignRow";
}
