import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { ok, type Result } from "../errors.ts";
import { COLD_PAGE_MAX_MS, COLD_PAGE_MAX_SEGMENTS, HEAVY_READ_WEIGHT } from "../limits.ts";
import type { Caller } from "../schema/caller.ts";
import type { LogGrant, ReadGrant } from "../schema/ledger.ts";
import type { Row } from "../store/list-entries.ts";
import { coldLine, coldLines } from "./cold-lines.ts";

/** An entry that is in R2 alone, in one of an org's logs. */
export type ColdRow = { log: LogGrant; row: Row };

/** What of a grant is needed; `logs` newest first. */
type Asked = { logs: readonly LogGrant[]; grant: ReadGrant };

/** The entry at an index that is cold. Of one that the archive has lost the line is empty: it is there, and cannot be shown. */
export async function coldAt(
  config: Config,
  org: string,
  { log, grant, index }: { log: LogGrant; grant: ReadGrant; index: number },
): Promise<Row> {
  const line = await coldLine(config, org, { log, newest: log.number === grant.number, index });
  return { index, line: line ?? "" };
}

/** Ids the service made: its receipts say where the event's batch is, not where such an id is. */
const MADE_ID = /^(evt|sev)_[a-z2-7.0-9]+$/;

/**
 * Where the entry of an event's id may be, to be opened and checked. What its sender called so, a receipt finds, for ever. What the
 * service called so is looked for in the newest cold segments, as many as one page reads, which counts as several reads. For a
 * reader who may see some entries only, what is not there takes as long as what is not shown.
 */
export async function coldById(
  config: Config,
  { org, caller }: { org: string; caller: Caller },
  { logs, grant, id }: Asked & { id: string },
): Promise<Result<ColdRow | null>> {
  const place = await callLedger(config, org, async (ledger) => await ledger.placeOfId(org, id));
  if (!place.ok) throw new Error(place.refusal.detail);
  const { log: number, index } = place.value ?? { log: null, index: 0 };
  const log = logs.find((one) => one.number === number && index < one.cold_before);
  if (log !== undefined) return ok({ log, row: await coldAt(config, org, { log, grant, index }) });
  if (number === null && MADE_ID.test(id)) {
    const weight = HEAVY_READ_WEIGHT - 1;
    const more = await callLedger(config, org, (ledger) => ledger.authorize(org, caller, "events:read", { weight }));
    return more.ok ? ok(await scanFor(config, org, { logs, grant, id })) : more;
  }
  const some = logs.find(({ cold_before }) => cold_before > 0);
  if (grant.restriction !== null && some !== undefined) await coldAt(config, org, { log: some, grant, index: 0 });
  return ok(null);
}

async function scanFor(
  config: Config,
  org: string,
  { logs, grant, id }: Asked & { id: string },
): Promise<ColdRow | null> {
  const deadline = Date.now() + COLD_PAGE_MAX_MS;
  let left = COLD_PAGE_MAX_SEGMENTS;
  for (const log of logs) {
    const range = { log, newest: log.number === grant.number, low: 0, high: log.cold_before, order: "desc" } as const;
    for await (const { first, lines } of coldLines(config, org, range)) {
      // Letters, digits and a full stop are never escaped.
      const at = lines.findIndex((line) => line.includes(id) && names(line, id));
      const line = lines[at];
      if (line !== undefined) return { log, row: { index: first + at, line } };
      if ((--left <= 0 || Date.now() > deadline) && first > 0) return null;
    }
  }
  return null;
}

/** Whether a line has the id in its `event` section, where the service puts those it made: others may quote it. */
function names(line: string, id: string): boolean {
  const { sections } = JSON.parse(line) as { sections: Record<string, { text: string }> };
  return (JSON.parse(sections["event"]?.text ?? "{}") as { id?: string }).id === id;
}
