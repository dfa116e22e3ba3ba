import { entryText, type OpenedEntry } from "../chain/open.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { ID_MAX_CHARACTERS, PAGE_MAX_BYTES, VISIBLE_WAIT_MAX_MS } from "../limits.ts";
import type { LogGrant, ReadGrant } from "../schema/ledger.ts";
import { findEntries, readEntry } from "../store/list-entries.ts";
import { rangesOf } from "./list-entries.ts";
import { logsOf, monthsOf } from "./logs.ts";
import { openRow } from "./row.ts";
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
  const { org } = reader;
  return traced<string | null>(config, reader, {
    route: "events.get",
    filter: entryAsked(idOrIndex, number),
    read: async (grant) => {
      const found = await findEntry(config, org, { grant, idOrIndex, number });
      if (!found.ok) return found;
      if (found.value === null) return ok({ answer: null, results: 0, range: null });
      return ok({ answer: entryText(found.value.entry), results: 1, range: rangeAnswered(grant, found.value) });
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
export function rangeAnswered(grant: ReadGrant, { entry, number }: FoundEntry): { from: number; to: number } | null {
  return number === grant.number ? { from: entry.leaf.index, to: entry.leaf.index } : null;
}

/** A found entry: opened for its reader, the record line it was opened from, which holds all its sections, and the number of its log. */
export type FoundEntry = { entry: OpenedEntry; line: string; number: number };

const BY_INDEX = /^\d{1,10}$/;

/** An entry by index or id; one that is sequenced and not yet projected is waited for. Null when the log has none. */
export async function findEntry(
  config: Config,
  org: string,
  { grant, idOrIndex, number = null }: { grant: ReadGrant; idOrIndex: string; number?: number | null },
): Promise<Result<FoundEntry | null>> {
  const { size, visible } = grant;
  const entry = await find(config, org, { grant, visible, idOrIndex, number });
  if (entry !== null || visible >= size) return ok(entry);
  const waited = await callLedger(config, org, (ledger) => ledger.waitVisible(org, size, VISIBLE_WAIT_MAX_MS));
  return waited.ok ? ok(await find(config, org, { grant, visible: waited.value, idOrIndex, number })) : waited;
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
    const found = await findIn(config, org, { log, personal: grant.personal, idOrIndex });
    if (found !== null) return found;
  }
  return null;
}

async function findIn(
  config: Config,
  org: string,
  { log, personal, idOrIndex }: { log: LogGrant; personal: boolean; idOrIndex: string },
): Promise<FoundEntry | null> {
  const { visible, number } = log;
  const months = monthsOf(log);
  const byIndex = BY_INDEX.test(idOrIndex);
  const index = Number(idOrIndex);
  const bounds = byIndex ? { low: index, high: Math.min(index + 1, visible) } : { low: 0, high: visible };
  for (const { placement, low, high } of rangesOf(log.placements, bounds, "desc")) {
    const cell = config.cells.get(placement.cell);
    if (cell === undefined) throw new Error(`binding ${placement.cell} is missing`);
    const reader = { log: placement.log, personal };
    if (byIndex) {
      const row = await readEntry(cell, { placement, index, months });
      if (row !== null) return { entry: openRow(row, reader), line: row.line, number };
      continue;
    }
    const wanted = { termKey: knownTermKey(config, org), filter: { id: [idOrIndex] } };
    // More than one only when tokens of two ids are alike.
    const limits = { limit: 10, max_bytes: PAGE_MAX_BYTES };
    const rows = await findEntries(cell, { placement, low, high, months }, { ...wanted, ...limits });
    const opened = rows.map((row) => ({ entry: openRow(row, reader), line: row.line, number }));
    const found = opened.find(({ entry }) => entry.id === idOrIndex);
    if (found !== undefined) return found;
  }
  return null;
}
