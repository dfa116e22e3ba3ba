import { deleteEvidence, readEvidence } from "../archive/evidence.ts";
import { parseRecord } from "../chain/open.ts";
import type { Config } from "../env.ts";
import { withdrawExports } from "../export/withdraw.ts";
import { forgetInDeadLetters } from "../ingest/forget-in-dead-letters.ts";
import { callLedger } from "../ledger/client.ts";
import { ERASURE_STEP_OBJECTS } from "../limits.ts";
import { aboutSubject, type Wanted } from "./about-subject.ts";
import type { ErasureProgress } from "./erasure-progress.ts";

const QUOTED = "Somebody was erased whom it quotes, or whom it may hold in entries that nobody can search any more.";

/** One step of forgetting a subject beside the log: in dead letters, in evidence of repairs, in exports, in reads that are open. */
export async function elsewhereStep(
  { config, org }: { config: Config; org: string },
  { asked, progress }: { asked: Omit<Wanted, "names">; progress: ErasureProgress },
): Promise<ErasureProgress> {
  const { elsewhere, cursor, names, blind } = progress;
  const { subject } = asked;
  const texts = [subject.id, ...names];
  if (cursor.of === "dead_letters") {
    const page = { forgotten: { subject, texts }, after: cursor.after, limit: ERASURE_STEP_OBJECTS };
    const { changed, after } = await forgetInDeadLetters(config, org, page);
    const counted = { ...elsewhere, dead_letters: elsewhere.dead_letters + changed };
    const next = after === null ? { of: "evidence" as const, after: null } : { ...cursor, after };
    return { ...progress, elsewhere: counted, cursor: next };
  }
  // The logs of an org lie under the name of its first.
  const log = progress.logs[0]?.log ?? "";
  const pieces = await readEvidence(config.archive, { log, after: cursor.after, limit: ERASURE_STEP_OBJECTS });
  const about = pieces.filter(({ text }) => isAbout(text, { ...asked, names }));
  await deleteEvidence(
    config.archive,
    about.map(({ key }) => key),
  );
  const counted = { ...elsewhere, evidence: elsewhere.evidence + about.length };
  const after = pieces.at(-1)?.key ?? cursor.after;
  const moved = { ...progress, elsewhere: counted, cursor: { ...cursor, after } };
  if (pieces.length === ERASURE_STEP_OBJECTS) return moved;
  const exports = await withdrawExports(config, org, { runs: blind, quoting: texts, because: QUOTED });
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
function isAbout(text: string, wanted: Wanted): boolean {
  let found: unknown;
  try {
    ({ found } = JSON.parse(text) as { found?: unknown });
  } catch {
    return text.includes(wanted.subject.id);
  }
  if (typeof found !== "string") return false;
  return parseRecord(found) === null
    ? found.includes(wanted.subject.id)
    : aboutSubject(found, wanted).sections.length > 0;
}
