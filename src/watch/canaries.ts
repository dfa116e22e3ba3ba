import type { Config } from "../env.ts";
import { CANARY_COMPARE_MAX_MS, CANARY_COMPARED_ENTRIES, CANARY_PATH_MAX_MS, CANARY_ROUND_MAX_MS } from "../limits.ts";
import { openSealed } from "../chain/open-sealed.ts";
import { log as say } from "../log.ts";
import { count } from "../meter.ts";
import { ensureCanary } from "../policy/put-org.ts";
import type { Reader } from "../query/traced.ts";
import { serviceReader } from "../schema/caller.ts";
import { canariesOf } from "../schema/names.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { saveCanary } from "../store/canary.ts";
import { confirmedFaults, grantFor } from "../verify/confirm-faults.ts";
import { ledgerLines } from "../verify/ledger-lines.ts";
import { within } from "../within.ts";
import { bindingAsker, directAsker } from "./canary-askers.ts";
import { appendThrough } from "./canary-doors.ts";
import { canaryEvent, minuteOf } from "./canary-event.ts";
import { type Path, PATHS, type Wanted } from "./canary-paths.ts";
import { judgeShown } from "./judge-shown.ts";
import { type Fault, reportFindings } from "./report-findings.ts";

/**
 * One round of every cell's two canaries: what the rounds before appended is read back by every path, then both get the
 * same event again, in turn first and second. A cell is well when all was found where it belongs. Two rounds at once
 * append the same. Never throws.
 */
export async function runCanaries(config: Config, now: number): Promise<void> {
  const minute = Math.floor(now / 60_000);
  await Promise.all(
    [...config.cells.keys()].map(async (cell) => {
      try {
        if (await within(CANARY_ROUND_MAX_MS, runPair(config, cell, { minute, now }))) {
          await saveCanary(config.directory, { cell, good_at: now });
        }
      } catch (error) {
        late("round", { cell, error });
      }
    }),
  );
}

/** Whether both are well; a canary that was only just made is not, yet. */
async function runPair(
  config: Config,
  cell: string,
  { minute, now }: { minute: number; now: number },
): Promise<boolean> {
  const pair = canariesOf(cell);
  const made = await Promise.all(pair.map((org) => ensureCanary(config, org)));
  if (made.includes(false)) return false;
  const well = await Promise.all(pair.map((org) => lookAfter(config, org, { minute, now })));
  const inTurn = minute % 2 === 0 ? pair : pair.toReversed();
  const appended = await Promise.all(inTurn.map((org) => sing(config, org, minute)));
  return [...well, ...appended].every(Boolean);
}

async function sing(config: Config, org: string, minute: number): Promise<boolean> {
  try {
    const event = canaryEvent(config, org, minute);
    await within(CANARY_PATH_MAX_MS, appendThrough(config, org, { minute, event }));
    return true;
  } catch (error) {
    return late("append", { org, error });
  }
}

/** Reads a canary back by every path and in every store; one that fails does not keep the others from being asked. */
async function lookAfter(config: Config, org: string, { minute, now }: { minute: number; now: number }) {
  try {
    const grant = await within(CANARY_PATH_MAX_MS, grantFor(config, org));
    const sung = await within(CANARY_PATH_MAX_MS, newestOf(config, org, grant));
    const faults: Fault[] = [];
    let well = true;
    for (const path of PATHS.filter(({ every, at }) => minute % every === at)) {
      const wanted = sung.get(minute - path.after);
      // A log that was begun only just now, and is looked at from its first entry on, has not sung so long ago.
      const young = grant.size <= CANARY_COMPARED_ENTRIES && minute - path.after < Math.min(...sung.keys());
      const looked = wanted === undefined && young ? false : await lookBy(config, path, { org, grant, wanted, minute });
      if (looked === false) well = false;
      else faults.push(...looked);
    }
    const compared = await compare(config, org);
    faults.push(...(compared ?? []));
    await reportFindings(config, org, { by: "canary", log: grant.log, newest: true, faults, now });
    return well && compared !== null && faults.length === 0;
  } catch (error) {
    return late("ledger", { org, error });
  }
}

/** The newest events of a canary by their minutes, as the ledger itself has them. */
async function newestOf(config: Config, org: string, { log, size }: ReadGrant): Promise<Map<number, Wanted>> {
  const first = Math.max(0, size - CANARY_COMPARED_ENTRIES);
  const lines = await ledgerLines(config, org, { first, high: size });
  return new Map(
    lines.flatMap((line, n) => {
      const { id } = openSealed(line);
      const minute = id === null ? null : minuteOf(id);
      return id === null || minute === null ? [] : [[minute, { log, index: first + n, id, minute }] as const];
    }),
  );
}

/** What a path showed of another org's log, or false when it did not show what was appended. */
async function lookBy(
  config: Config,
  path: Path,
  { org, grant, wanted, minute }: { org: string; grant: ReadGrant; wanted: Wanted | undefined; minute: number },
): Promise<Fault[] | false> {
  const byBinding = path.bound === true && Math.floor(minute / path.every) % 2 === 1;
  const at = byBinding ? `binding.${path.name}` : path.name;
  try {
    if (wanted === undefined) return late(at, { org, error: "what was appended is not in the ledger yet" });
    const reader: Reader = { org, caller: serviceReader(org), network: {}, reason: null };
    const ask = byBinding ? bindingAsker(reader) : directAsker(config, reader);
    const shown = await within(CANARY_PATH_MAX_MS, path.read({ config, reader, ask }, wanted));
    const verdict = judgeShown(config, { org, grant, path, wanted }, shown);
    if (verdict.kind === "found") return [];
    if (verdict.kind === "lacking") return late(at, { org, error: "the answer lacks what was appended" });
    return verdict.indexes.map((index) => ({ at, kind: "misrouted", index, place: at }));
  } catch (error) {
    return late(at, { org, error });
  }
}

/** Its newest entries as D1, R2 and the ledger have them; null when one of them does not answer. */
async function compare(config: Config, org: string): Promise<Fault[] | null> {
  const newest = ({ number, size }: ReadGrant) => ({
    number,
    from: Math.max(0, size - CANARY_COMPARED_ENTRIES),
    to: size,
  });
  try {
    return (await within(CANARY_COMPARE_MAX_MS, confirmedFaults(config, org, newest))).faults;
  } catch (error) {
    late("stores", { org, error });
    return null;
  }
}

function late(path: string, { error, ...of }: { error: unknown; org?: string; cell?: string }): false {
  count("audit_canary_late_total", { path });
  say("warn", { message: "a canary is late", path, ...of, error: String(error) });
  return false;
}
