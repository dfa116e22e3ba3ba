import { parseAbsenceList } from "../chain/absence-list.ts";
import { assert, type Refusal } from "../errors.ts";
import { withdrawExports } from "../export/withdraw.ts";
import type { JobContext, Kind } from "../jobs/kind.ts";
import { callLedger } from "../ledger/client.ts";
import { logsOf } from "../query/logs.ts";
import type { Act } from "../schema/act.ts";
import { KEY_ACTOR, nameOf } from "../schema/caller.ts";
import type { Certificate, ErasureRequest, Subject } from "../schema/erasure.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { beginRemoval } from "./begin-removal.ts";
import { chunkFrom, type ErasureProgress, NONE_BLIND, NONE_HELD } from "./erasure-progress.ts";
import { elsewhereStep } from "./erase-elsewhere.ts";
import { sumOf } from "./gone-counts.ts";
import { holdingNow } from "./held-by.ts";
import { removeStep, REMOVAL_BEGUN } from "./remove.ts";
import { afterChunk, searchAnew, searchStep } from "./search-subject.ts";

type Asked = Omit<ErasureRequest, "subject"> & { subject: Subject };
type Step = { progress: ErasureProgress; result: Certificate | null; wait_ms?: number };
type Refused = { ok: false; refusal: Refusal };

/** Erasures as jobs: once one is over, its row knows no more whom it was about. */
export const ERASURE: Kind<ErasureRequest, ErasureProgress, Certificate> = {
  step: eraseStep,
  kept: (request) => ({ ...request, subject: null }),
};

/**
 * One step of an erasure: everything is searched for the subject, what is found goes by causes that are sealed first, and from the places
 * beside the log; then it is sealed that it ended, and certified. Made again, a step changes nothing twice.
 */
async function eraseStep(
  context: JobContext,
  { subject, ...rest }: ErasureRequest,
  progress: ErasureProgress | null,
): Promise<Step | Refused> {
  assert(subject !== null, "who is to be forgotten is known until the job is over");
  const asked = { ...rest, subject };
  if (progress === null) return beginStep(context, asked);
  switch (progress.phase) {
    case "search":
      return moved(await searchStep(context.config, context.org, { wanted: asked, progress }));
    case "seal":
      return sealStep(context, asked, progress);
    case "remove":
      return removeFound(context, asked, progress);
    case "elsewhere":
      return moved(await elsewhereStep(context, { asked, progress }));
    case "end":
      return endStep(context, asked, progress);
  }
}

function moved(progress: ErasureProgress, wait_ms = 0): Step {
  return { progress, result: null, wait_ms };
}

/** Closes what is open and quotes the subject, so that its closing is searched too; then the logs are as large as they are. */
async function beginStep({ config, org }: JobContext, { subject }: Asked): Promise<Step | Refused> {
  const forgetting = { texts: [subject.id], viewer: subject };
  const forgotten = await callLedger(config, org, async (ledger) => await ledger.closeReadsOf(org, forgetting));
  if (!forgotten.ok) return forgotten;
  const grant = await grantFor(config, org);
  const settled = await callLedger(config, org, async (ledger) => await ledger.settleBelow(org, grant.size));
  if (!settled.ok) return settled;
  const logs = logsOf(grant).map(({ number, log, size }) => ({ number, log, size }));
  return moved({
    phase: "search",
    round: 1,
    logs: logs.sort((a, b) => a.number - b.number),
    at: { log: 1, index: 0 },
    chunk: chunkFrom(0),
    found: false,
    held: NONE_HELD,
    unreadable: 0,
    names: [],
    blind: NONE_BLIND,
    removing: null,
    causes: [],
    elsewhere: { exports: 0, dead_letters: 0, evidence: 0, read_sessions: forgotten.value, held: 0 },
    cursor: { of: "dead_letters", after: null },
  });
}

/** Seals the cause of a list that was found. */
async function sealStep(context: JobContext, asked: Asked, progress: ErasureProgress): Promise<Step | Refused> {
  const { config, org, id } = context;
  const { chunk, at } = progress;
  const list = parseAbsenceList(chunk.list);
  assert(list !== null && chunk.version !== null, "a chunk's list was made by us");
  const sealed = await beginRemoval(config, org, {
    cause: "erased",
    log: at.log,
    list,
    holds_version: chunk.version,
    act: actOf(context, asked, "begun"),
    once: `indelible.erasure.begun  ${id}`,
  });
  if (!sealed.ok) return sealed.refusal.code === "conflict" ? moved(searchAnew(progress)) : sealed;
  // A crash before the progress is saved seals nothing again: the same list has the same cause.
  const removing = { removal: sealed.value, progress: REMOVAL_BEGUN };
  return moved({ ...progress, phase: "remove", found: true, removing });
}

async function removeFound(
  { config, org }: JobContext,
  { subject }: Asked,
  progress: ErasureProgress,
): Promise<Step | Refused> {
  const { removing, chunk, causes, elsewhere, names } = progress;
  assert(removing !== null, "what is carried out was sealed");
  const { removal } = removing;
  const holds = () => holdingNow(config, org);
  const taken = await removeStep(config, org, { removal, progress: removing.progress, holds });
  if (taken.progress.at !== "done") {
    return moved({ ...progress, removing: { ...removing, progress: taken.progress } }, taken.wait_ms);
  }
  const indexes = [...(parseAbsenceList(chunk.list)?.keys() ?? [])];
  const runs = indexes.map((index) => ({ log: removal.log, first: index, last: index }));
  const quoting = [subject.id, ...names];
  const withdrawn = await withdrawExports(config, org, { runs, quoting, because: "Entries it held were erased." });
  if (!withdrawn.ok) return withdrawn;
  const { by, by_log, log, list } = removal;
  const { gone, held, unreadable } = taken.progress;
  const cause = { log: by_log, index: by, of_log: log, list, ...sumOf(gone), held };
  return moved({
    ...afterChunk({ ...progress, chunk: { ...chunk, unreadable: chunk.unreadable + unreadable } }),
    removing: null,
    causes: [...causes, cause],
    elsewhere: { ...elsewhere, exports: elsewhere.exports + withdrawn.value },
  });
}

async function endStep(context: JobContext, asked: Asked, progress: ErasureProgress): Promise<Step | Refused> {
  const { config, org, id } = context;
  const { logs, causes, held, unreadable, elsewhere } = progress;
  const removed = sumOf(causes);
  const metadata = {
    removed,
    held: held.entries,
    unreadable,
    causes: causes.map(({ log, index }) => ({ log, index })),
    elsewhere,
  };
  const act: Act = {
    ...actOf(context, asked, "ended"),
    action: "indelible.erasure.ended",
    category: "config_change",
    metadata,
  };
  const name = `indelible.erasure.ended  ${id}`;
  const ended = await callLedger(config, org, async (ledger) => await ledger.recordAct(org, act, name));
  if (!ended.ok) return ended;
  const certificate = {
    logs,
    causes,
    removed,
    held,
    unreadable,
    elsewhere,
    ended_index: ended.value,
    remains: REMAINS,
  };
  return { progress, result: certificate };
}

function actOf({ id, by }: JobContext, { reason, sections }: Asked, what: "begun" | "ended") {
  const key = nameOf(by);
  return {
    action: "indelible.erasure.begun" as const,
    actor: { type: KEY_ACTOR, id: key },
    key,
    targets: [{ type: "erasure", id }],
    note: { reason },
    metadata: what === "begun" ? { sections } : {},
  };
}

/** What nobody can take back from here; docs/erasure.md says more. */
const REMAINS: Certificate["remains"] = [
  { where: "D1 Time Travel and free pages of its files", until: "30 days" },
  { where: "point-in-time recovery of the org's Durable Objects, and free pages of their storage", until: "30 days" },
  { where: "messages in the queue", until: "they are delivered: ask again for what comes" },
  {
    where: "receipts: event ids and idempotency keys as the client chose them, unless its notes were erased",
    until: "for ever",
  },
  {
    where: "exports that were downloaded, copies of the log that others made",
    until: "those who have them delete them",
  },
];
