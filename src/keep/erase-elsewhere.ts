import { deleteEvidence, readEvidence } from "../archive/evidence.ts";
import type { Config } from "../env.ts";
import { withdrawExports } from "../export/withdraw.ts";
import { findInDeadLetters, forgetInDeadLetters } from "../ingest/forget-in-dead-letters.ts";
import { callLedger } from "../ledger/client.ts";
import { ERASURE_STEP_OBJECTS } from "../limits.ts";
import type { Sought } from "../schema/erasure.ts";
import { quoterOf } from "../store/quoted.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { aboutSubject, type Wanted } from "./about-subject.ts";
import type { ErasureProgress } from "./erasure-progress.ts";
import { expiryEnded } from "./expiry-ended.ts";
import { type Finding, readFinding } from "./finding.ts";
import { holdingNow } from "./held-by.ts";
import { whileFreed } from "./while-freed.ts";

const BLIND = "It may hold somebody who was erased, in entries that nobody can search any more.";

/**
 * One step of forgetting a subject beside the log: in dead letters, in evidence of repairs, in exports, in reads that are open. Where a hold was placed
 * or released meanwhile it takes nothing, and is the same step again.
 */
export async function elsewhereStep(
  { config, org }: { config: Config; org: string },
  { sought, progress }: { sought: Sought; progress: ErasureProgress },
): Promise<ErasureProgress> {
  const { elsewhere, cursor, names, blind } = progress;
  const { subject, sections } = sought;
  const texts = [subject.id, ...names];
  const [holding, { size }] = await Promise.all([holdingNow(config, org), grantFor(config, org)]);
  const { version } = holding;
  if (cursor.of === "dead_letters") {
    // What was never sequenced cannot be asked whether a hold is for it.
    const held = holding.coming(size);
    const forgotten = { subject, texts, given: [subject.id, ...(sought.names ?? [])] };
    const page = { forgotten, after: cursor.after, limit: ERASURE_STEP_OBJECTS };
    const { found, after } = await findInDeadLetters(config, org, page);
    const take = (inTime: () => void) => forgetInDeadLetters(config, found, inTime);
    if (found.length > 0 && !held && !(await whileFreed(config, org, { version, take }))) return progress;
    const to = held ? "held" : "dead_letters";
    const counted = { ...elsewhere, [to]: elsewhere[to] + found.length };
    const next = after === null ? { of: "evidence" as const, after: null } : { ...cursor, after };
    return { ...progress, elsewhere: counted, cursor: next };
  }
  // The logs of an org lie under the name of its first.
  const log = progress.logs[0]?.log ?? "";
  const wanted = { subject, sections, quotes: quoterOf(texts) };
  const pieces = await readEvidence(config.archive, { log, after: cursor.after, limit: ERASURE_STEP_OBJECTS });
  const about = pieces
    .map(({ key, text }) => ({ key, finding: readFinding(text, progress.logs) }))
    .filter(({ finding }) => isAbout(finding, wanted));
  const free = about.filter(({ finding: { places } }) => !places.some((place) => holding.covers(place)));
  const keys = free.map(({ key }) => key);
  const take = () => deleteEvidence(config.archive, keys);
  if (keys.length > 0 && !(await whileFreed(config, org, { version, take }))) return progress;
  const counted = {
    ...elsewhere,
    evidence: elsewhere.evidence + free.length,
    held: elsewhere.held + about.length - free.length,
  };
  const after = pieces.at(-1)?.key ?? cursor.after;
  const moved = { ...progress, elsewhere: counted, cursor: { ...cursor, after } };
  if (pieces.length === ERASURE_STEP_OBJECTS) return moved;
  // Asked before exports are looked at: one that is begun, or restarted, meanwhile began later.
  const expired_by = blind.expired.length === 0 ? 0 : await expiryEnded(config, org);
  const unseen = { runs: [], blind: { ...blind, expired_by } };
  const exports = await withdrawExports(config, org, { ...unseen, quoting: texts, because: BLIND });
  if (!exports.ok) throw new Error(exports.refusal.detail);
  const forgetting = { texts, viewer: null };
  const closed = await callLedger(config, org, async (ledger) => await ledger.closeReadsOf(org, forgetting));
  if (!closed.ok) throw new Error(closed.refusal.detail);
  const last = {
    ...counted,
    exports: counted.exports + exports.value,
    read_sessions: counted.read_sessions + closed.value,
  };
  return { ...moved, phase: "end", elsewhere: last };
}

/** Whether a row that a repair found is about a subject; what nobody can read is if it names them. */
function isAbout({ found, record }: Finding, wanted: Wanted): boolean {
  return record === null ? found.includes(wanted.subject.id) : aboutSubject(found, wanted).sections.length > 0;
}
