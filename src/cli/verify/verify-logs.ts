import { originOfLog, placeInOrg } from "../../chain/continuation.ts";
import { noteText } from "../../chain/note/note.ts";
import { sha256 } from "../../sha256.ts";
import { AbsenceClaims } from "../../verifier/absence-claims.ts";
import { parseCheckpoint } from "../../verifier/index.ts";
import { isWhole } from "../../verifier/verify-log.ts";
import { type ExitCode, failed, type Outcome } from "../outcome.ts";
import { printable } from "../terminal/printable.ts";
import { findLog, type Look, namedByNext } from "./find-log.ts";
import type { Job } from "./job.ts";
import { exitOf, sayLog, sayLogs } from "./say-logs.ts";
import { originsOf } from "./trust.ts";
import { goneAfter, uncheckedVerdict } from "./unread-logs.ts";
import { type LogTarget, type LogVerdict, otherName, type Place, type Since, verifyLogAt } from "./verify-log.ts";

/** The logs of an org, from the one that was named on: `first` is the origin of its first log, `own` the named one's number. */
export type Logs = { named: LogTarget; first: string; own: number; since: Since | null; job: Job };

/**
 * Verifies the log that was named and all that continue it, each held to the checkpoint that the one before it has now.
 * The command ends as the worst of them does.
 */
export async function verifyLogs(named: LogTarget, job: Job): Promise<Outcome<ExitCode>> {
  const found = await findLog(named);
  if (found.kind !== "there") return noCheckpoint(named, found);
  const origin = originFor(named, { job, note: found.note });
  if (!origin.ok) return origin;
  const since = sinceOf(job, origin.value);
  if (!since.ok) return since;
  const { first, number: own } = placeInOrg(origin.value);
  const logs: Logs = { named, first, own, since: since.value, job };
  const claims = new AbsenceClaims(sha256, { later: true });
  const verdicts: LogVerdict[] = [];
  const held: (() => void)[] = [];
  // What is gone by an entry of a later log is judged only there: until then nothing is said of the logs it is gone from.
  const sayHeld = () => {
    for (const { report } of claims.waiting ? [] : verdicts) report.ok &&= isWhole(report);
    while (!claims.waiting && held.length > 0) held.shift()?.();
  };
  let predecessor = await predecessorOfNamed(logs);
  for (let here: Look = found, number = own; here.kind === "there"; number++) {
    const startedAt = performance.now();
    const next = await findAt(logs, number + 1);
    // A log that is continued has its last checkpoint: it may be newer than the one that was just read.
    const last: Look = next.kind === "there" ? await findLog(here.target) : here;
    const place = placeOf(logs, { number, predecessor, next });
    const verdict =
      last.kind === "there"
        ? await verifyLogAt(last, { job, place, since: logs.since, claims })
        : noCheckpoint(here.target, last);
    // What keeps the only log there is from being checked is all there is to say.
    if (!verdict.ok && number === own && next.kind === "none") return verdict;
    const said = verdict.ok ? verdict.value : uncheckedVerdict(place, verdict.failure);
    for (const one of [said, ...(await goneAfter(logs, { number, next }))]) {
      const about = { job, elapsedMs: performance.now() - startedAt, first: verdicts.length === 0 };
      held.push(() => sayLog(one, about));
      verdicts.push(one);
    }
    sayHeld();
    predecessor = namedByNext(last, place.origin);
    here = next;
  }
  claims.finish(null);
  sayHeld();
  sayLogs(verdicts, job);
  return { ok: true, value: exitOf(verdicts, job) };
}

async function findAt({ named, own }: Logs, number: number): Promise<Look> {
  const target = await named.other({ own, number });
  return target === null ? { kind: "none" } : findLog(target);
}

function placeOf(
  { first, own }: Logs,
  { number, predecessor, next }: { number: number; predecessor: string | null | undefined; next: Look },
): Place {
  const continuedBy = next.kind === "there" ? originOfLog(first, number + 1) : null;
  const unseen = number === own && own > 1 ? first : null;
  return { origin: originOfLog(first, number), predecessor, continuedBy, unseen };
}

/** P of the log that was named: as given, else what the log before it has now; an org's first log has none. */
async function predecessorOfNamed(logs: Logs): Promise<string | null | undefined> {
  const { first, own, job } = logs;
  if (job.predecessor !== null) return job.predecessor;
  return own === 1 ? undefined : namedByNext(await findAt(logs, own - 1), originOfLog(first, own - 1));
}

function noCheckpoint(target: LogTarget, look: Exclude<Look, { kind: "there" }>) {
  const why = look.kind === "none" ? "has no checkpoint" : `gives no checkpoint: ${look.why}`;
  const status = look.kind === "none" ? 404 : look.status;
  return failed(`${printable(target.shown)} ${printable(why)}`, target.remedy(status));
}

/**
 * Which log this must be: one that a key given names, else the one its address names, else what it calls itself. Keys
 * may be of other logs of the org.
 */
function originFor(target: LogTarget, { job, note }: { job: Job; note: string | null }): Outcome<string> {
  const given = originsOf(job.keys);
  if (!given.ok) return given;
  const said = note === null ? null : (parseCheckpoint(noteText(note))?.origin ?? null);
  const [key] = given.value;
  if (note !== null && said === null) {
    return failed(`what lies at ${printable(target.shown)} is no checkpoint`, "check the address");
  }
  if (said !== null && given.value.includes(said)) return { ok: true, value: said };
  const { named } = target;
  const within = key !== undefined && named !== null && placeInOrg(named).first === placeInOrg(key).first;
  const origin = within ? named : (key ?? named ?? said);
  if (origin === null) return failed(`${printable(target.shown)} has no checkpoint`, target.remedy(404));
  if (said === null || said === origin) return { ok: true, value: origin };
  const remedy =
    key === undefined
      ? "if that is the log you mean, say so with its key: --key 'VKEY'"
      : "give the key of that log, or name the other address";
  return failed(otherName(target, { said, origin }), remedy);
}

/** The checkpoint given with --since: it must be of the log named or of one that comes after it. */
function sinceOf({ since }: Job, origin: string): Outcome<Since | null> {
  if (since === null) return { ok: true, value: null };
  const said = parseCheckpoint(noteText(since.note)) ?? parseCheckpoint(since.note);
  if (said === null) return failed(`${since.name} is no checkpoint`, "give a file that was saved from …/checkpoint");
  const [place, named] = [placeInOrg(said.origin), placeInOrg(origin)];
  if (place.first === named.first && place.number >= named.number) {
    return { ok: true, value: { ...since, origin: said.origin, size: said.size, root: said.root } };
  }
  const what = `${since.name} is of the log ${printable(said.origin)}, not ${printable(origin)}`;
  const remedy = place.first === named.first ? "name the address of that log" : "give one of this log";
  return failed(what, remedy);
}
