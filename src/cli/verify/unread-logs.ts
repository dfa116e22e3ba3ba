import { originOfLog, placeInOrg } from "../../chain/continuation.ts";
import { ORG_MAX_LOGS } from "../../limits.ts";
import { openCheckpoint } from "../../verifier/index.ts";
import type { LogReport } from "../../verifier/verify-log.ts";
import type { Failure } from "../outcome.ts";
import { counted } from "../terminal/format.ts";
import { bareReport } from "./bare-report.ts";
import type { Look } from "./find-log.ts";
import type { Job } from "./job.ts";
import { keepEvidence, recall } from "./memory.ts";
import { trustFor } from "./trust.ts";
import { type LogVerdict, type Place, REMEMBERED, type Since } from "./verify-log.ts";
import type { Logs } from "./verify-logs.ts";

/** The verdict on a log that something kept from being checked. */
export function uncheckedVerdict(place: Place, { what, remedy }: Failure): LogVerdict {
  return unreadVerdict(place, { could_not_check: [{ index: null, why: `${what}; ${remedy}` }] });
}

/** What is to be said of logs after the last that was found: one that gave no answer, or that was there before. */
export async function goneAfter(
  { first, since, named, job }: Logs,
  { number, next }: { number: number; next: Look },
): Promise<LogVerdict[]> {
  const at = (origin: string): Place => ({ origin, predecessor: null, continuedBy: null, unseen: null });
  if (next.kind === "there") return [];
  if (next.kind === "unread") {
    const why = `whether there is such a log: ${next.why}`;
    return [unreadVerdict(at(originOfLog(first, number + 1)), { could_not_check: [{ index: null, why }] })];
  }
  if (since !== null && placeInOrg(since.origin).number > number)
    return [await sinceGone(at(since.origin), since, job)];
  // A copy in a folder need not have all logs; the org's address must.
  for (let later = number + 1; named.live && later <= ORG_MAX_LOGS; later++) {
    const place = at(originOfLog(first, later));
    const recalled = await recall(job.memory, place.origin);
    if (!recalled.ok) return [uncheckedVerdict(place, recalled.failure)];
    const { value } = recalled;
    if (value !== null) return [await goneVerdict(place, { name: REMEMBERED, ...value, note: value.checkpoint }, job)];
  }
  return [];
}

/** A checkpoint that was given, of a log that is not there: a break only when the log's key is known and signed it. */
async function sinceGone(place: Place, since: Since, job: Job): Promise<LogVerdict> {
  const { name, origin, note } = since;
  const trust = await trustFor(origin, { keys: job.keys, folder: job.memory, source: null });
  const opened = trust.ok ? await openCheckpoint({ note, origin, keys: trust.value.keys }) : null;
  if (opened?.ok === true) return goneVerdict(place, since, job);
  const why = `there is no such log, and ${name} is not signed by a key known for it: add --key 'VKEY'`;
  return unreadVerdict(place, { could_not_check: [{ index: null, why }] });
}

async function goneVerdict(
  place: Place,
  { name, size, note }: { name: string; size: number; note: string },
  { memory }: Job,
): Promise<LogVerdict> {
  const detail = `${name} says that this log had ${counted(size, "entry", "entries")}; now there is no such log.`;
  const verdict = unreadVerdict(place, { breaks: [{ kind: "truncated", index: null, detail }] });
  return { ...verdict, evidence: await keepEvidence(memory, { origin: place.origin, notes: [note] }) };
}

function unreadVerdict(place: Place, found: Partial<Pick<LogReport, "breaks" | "could_not_check">>): LogVerdict {
  return {
    report: bareReport(place.origin, found),
    place,
    trust: null,
    cosigned: [],
    older: { since: null, remembered: "first" },
    evidence: null,
    notRemembered: null,
  };
}
