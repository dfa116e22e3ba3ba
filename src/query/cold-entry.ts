import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { COLD_PAGE_MAX_MS, COLD_PAGE_MAX_SEGMENTS } from "../limits.ts";
import type { LogGrant } from "../schema/ledger.ts";
import type { Row } from "../store/list-entries.ts";
import { coldLine, coldLines } from "./cold-lines.ts";

/** An entry that is in R2 alone, in one of an org's logs. */
export type ColdRow = { log: LogGrant; row: Row };

/** Logs newest first; the newest one's segments are named by the ledger. */
type Asked = { logs: readonly LogGrant[]; newest: number };

/** The entry at an index that is cold. Of one that the archive has lost the line is empty: it is there, and cannot be shown. */
export async function coldAt(
  config: Config,
  org: string,
  { log, newest, index }: { log: LogGrant; newest: number; index: number },
): Promise<Row> {
  const line = await coldLine(config, org, { log, newest: log.number === newest, index });
  return { index, line: line ?? "" };
}

/** Ids the service made: its receipts say where the event's batch is, not where such an id is. */
const MADE_ID = /^(evt|sev)_[a-z2-7.0-9]+$/;

/**
 * Where the entry of an event's id may be, to be opened and checked. What its sender called so, a receipt finds, for ever. What the
 * service called so is looked for in the newest cold segments, as many as one page reads: `unknown` when there are more.
 */
export async function coldById(
  config: Config,
  org: string,
  { logs, newest, id }: Asked & { id: string },
): Promise<ColdRow | "unknown" | null> {
  const place = await callLedger(config, org, async (ledger) => await ledger.placeOfId(org, id));
  if (!place.ok) throw new Error(place.refusal.detail);
  if (place.value !== null) {
    const { index } = place.value;
    const log = logs.find(({ number }) => number === place.value?.log);
    if (log === undefined || index >= log.cold_before) return null;
    return { log, row: await coldAt(config, org, { log, newest, index }) };
  }
  return MADE_ID.test(id) ? scanFor(config, org, { logs, newest, id }) : null;
}

async function scanFor(
  config: Config,
  org: string,
  { logs, newest, id }: Asked & { id: string },
): Promise<ColdRow | "unknown" | null> {
  const deadline = Date.now() + COLD_PAGE_MAX_MS;
  let left = COLD_PAGE_MAX_SEGMENTS;
  for (const log of logs) {
    const range = { log, newest: log.number === newest, low: 0, high: log.cold_before, order: "desc" } as const;
    for await (const { first, lines } of coldLines(config, org, range)) {
      // Letters, digits and a full stop are never escaped.
      const at = lines.findIndex((line) => line.includes(id) && names(line, id));
      const line = lines[at];
      if (line !== undefined) return { log, row: { index: first + at, line } };
      if ((--left <= 0 || Date.now() > deadline) && first > 0) return "unknown";
    }
  }
  return null;
}

/** Whether a line has the id in its `event` section, where the service puts those it made: others may quote it. */
function names(line: string, id: string): boolean {
  const { sections } = JSON.parse(line) as { sections: Record<string, { text: string }> };
  return (JSON.parse(sections["event"]?.text ?? "{}") as { id?: string }).id === id;
}
