import { assert } from "../errors.ts";
import type { JobContext, Kind, Refused, Stepped } from "../jobs/kind.ts";
import { callLedger } from "../ledger/client.ts";
import { stillPermitted } from "../policy/still-permitted.ts";
import { logsOf } from "../query/logs.ts";
import { nameOf } from "../schema/caller.ts";
import type { Certificate, ErasureRequest, NewErasure } from "../schema/erasure.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { endErasure } from "./end-erasure.ts";
import { elsewhereStep } from "./erase-elsewhere.ts";
import { type ErasureProgress, progressIn } from "./erasure-progress.ts";
import { holdingNow } from "./held-by.ts";
import { removeFound } from "./remove-found.ts";
import { sealFound } from "./seal-found.ts";
import { searchAnew, searchStep } from "./search-subject.ts";
import { settleErasure } from "./settle-erasure.ts";

type Step = Stepped<ErasureProgress, Certificate>;

/** Erasures as jobs: once one is over, its row knows no more whom it was about. */
export const ERASURE: Kind<ErasureRequest, ErasureProgress, Certificate> = {
  step: eraseStep,
  settle: settleErasure,
  kept: ({ reason, sections }) => ({ reason, sections, subject: null }) satisfies ErasureRequest,
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
  const { config, org, by } = context;
  const allowed = await stillPermitted(config, org, { by, scope: "erasures:write" });
  if (!allowed.ok) return allowed;
  const asked = { ...rest, subject };
  if (progress === null) return beginStep(context, asked);
  switch (progress.phase) {
    case "search":
      return moved(await searchStep(config, org, { sought: asked, progress }));
    case "seal":
      return sealStep(context, asked, progress);
    case "remove": {
      const holds = () => holdingNow(config, org);
      return removeFound(context, progress, { quoting: [subject.id, ...progress.names], holds });
    }
    case "elsewhere":
      return moved(await elsewhereStep(context, { sought: asked, progress }));
    case "end": {
      const ending = { state: "done", by: nameOf(by), error: null } as const;
      const ended = await endErasure(context, asked, { progress, ending });
      return ended.ok ? { progress, result: ended.value } : ended;
    }
  }
}

function moved(progress: ErasureProgress): Step {
  return { progress, result: null };
}

/** Closes what is open and quotes the subject, so that its closing is searched too; then the logs are as large as they are. */
async function beginStep({ config, org }: JobContext, { subject, names = [] }: NewErasure): Promise<Step | Refused> {
  const forgetting = { texts: [subject.id, ...names], viewer: subject };
  const forgotten = await callLedger(config, org, async (ledger) => await ledger.closeReadsOf(org, forgetting));
  if (!forgotten.ok) return forgotten;
  const grant = await grantFor(config, org);
  const settled = await callLedger(config, org, async (ledger) => await ledger.settleBelow(org, grant.size));
  if (!settled.ok) return settled;
  const logs = logsOf(grant).map(({ number, log, size }) => ({ number, log, size }));
  const sorted = logs.sort((a, b) => a.number - b.number);
  return moved(progressIn(sorted, { names, read_sessions: forgotten.value }));
}

/** Goes on with the cause of a list that was found. */
async function sealStep(context: JobContext, asked: NewErasure, progress: ErasureProgress): Promise<Step | Refused> {
  const sealed = await sealFound(context, asked, { progress, again: false });
  if (sealed.ok) return moved(sealed.value);
  return sealed.refusal.code === "conflict" ? moved(searchAnew(progress)) : sealed;
}
