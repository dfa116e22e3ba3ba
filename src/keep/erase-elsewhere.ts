import { deleteEvidence, readEvidence } from "../archive/evidence.ts";
import { parseLeaf } from "../chain/leaf.ts";
import { parseRecord } from "../chain/open.ts";
import type { Config } from "../env.ts";
import { withdrawExports } from "../export/withdraw.ts";
import { forgetInDeadLetters } from "../ingest/forget-in-dead-letters.ts";
import { callLedger } from "../ledger/client.ts";
import { ERASURE_STEP_OBJECTS } from "../limits.ts";
import type { Sought } from "../schema/erasure.ts";
import { quoterOf } from "../store/quoted.ts";
import { aboutSubject, type Wanted } from "./about-subject.ts";
import type { ErasureProgress } from "./erasure-progress.ts";
import { holdingNow } from "./held-by.ts";

const BLIND = "It may hold somebody who was erased, in entries that nobody can search any more.";

/** One step of forgetting a subject beside the log: in dead letters, in evidence of repairs, in exports, in reads that are open. */
export async function elsewhereStep(
  { config, org }: { config: Config; org: string },
  { sought, progress }: { sought: Sought; progress: ErasureProgress },
): Promise<ErasureProgress> {
  const { elsewhere, cursor, names, blind } = progress;
  const { subject, sections } = sought;
  const texts = [subject.id, ...names];
  const holding = await holdingNow(config, org);
  if (cursor.of === "dead_letters") {
    // What was never sequenced cannot be asked whether a hold is for it.
    const held = holding.coming;
    const page = { forgotten: { subject, texts }, held, after: cursor.after, limit: ERASURE_STEP_OBJECTS };
    const { changed, after } = await forgetInDeadLetters(config, org, page);
    const to = held ? "held" : "dead_letters";
    const counted = { ...elsewhere, [to]: elsewhere[to] + changed };
    const next = after === null ? { of: "evidence" as const, after: null } : { ...cursor, after };
    return { ...progress, elsewhere: counted, cursor: next };
  }
  // The logs of an org lie under the name of its first.
  const log = progress.logs[0]?.log ?? "";
  const wanted = { subject, sections, quotes: quoterOf(texts) };
  const pieces = await readEvidence(config.archive, { log, after: cursor.after, limit: ERASURE_STEP_OBJECTS });
  const about = pieces.filter(({ text }) => isAbout(text, wanted));
  const free = about.filter(({ text }) => !holding.covers(placed(text, progress.logs)));
  await deleteEvidence(
    config.archive,
    free.map(({ key }) => key),
  );
  const counted = {
    ...elsewhere,
    evidence: elsewhere.evidence + free.length,
    held: elsewhere.held + about.length - free.length,
  };
  const after = pieces.at(-1)?.key ?? cursor.after;
  const moved = { ...progress, elsewhere: counted, cursor: { ...cursor, after } };
  if (pieces.length === ERASURE_STEP_OBJECTS) return moved;
  const exports = await withdrawExports(config, org, { runs: blind, quoting: texts, because: BLIND });
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

/** What a repair writes down of a row that it found. */
type Finding = { log?: string; index?: number; found?: unknown };

/** Whether a row that a repair found is about a subject; what nobody can read is if it names them. */
function isAbout(text: string, wanted: Wanted): boolean {
  const { found } = parsed(text) ?? { found: text };
  if (typeof found !== "string") return false;
  return parseRecord(found) === null
    ? found.includes(wanted.subject.id)
    : aboutSubject(found, wanted).sections.length > 0;
}

/** A row that a repair found as the entry it says it is, or else as the one in whose place it was. */
function placed(text: string, logs: ErasureProgress["logs"]): { log: number; index: number; line: string } {
  const { found, ...place } = parsed(text) ?? { found: text };
  const line = typeof found === "string" ? found : "";
  const leaf = parseLeaf(parseRecord(line)?.leaf ?? "");
  const { log, index = 0 } = leaf.kind === "leaf" ? leaf.leaf : place;
  return { log: logs.find((one) => one.log === log)?.number ?? 1, index, line };
}

function parsed(text: string): Finding | null {
  try {
    return JSON.parse(text) as Finding;
  } catch {
    return null;
  }
}
