import type { JobContext, Stepped, Unfinished } from "../jobs/kind.ts";
import type { Certificate, ErasureRequest } from "../schema/erasure.ts";
import { endErasure } from "./end-erasure.ts";
import { type ErasureProgress, progressIn } from "./erasure-progress.ts";
import { EVERYTHING, keepRest } from "./remove.ts";
import { removeFound } from "./remove-found.ts";
import { sealFound } from "./seal-found.ts";

/**
 * One step of ending an erasure that failed or was cancelled: what has begun to go by a cause goes from every store, so that all of them say the same of
 * each entry; the rest of its list stays, and in an earlier log what lies in R2 whole beside what was written anew. Then it is sealed that it ended, and what went is certified.
 */
export async function settleErasure(
  context: JobContext,
  request: ErasureRequest,
  { state, by, error, progress: before }: Unfinished<ErasureProgress>,
): Promise<Stepped<ErasureProgress, Certificate>> {
  const begun = before ?? progressIn([], { names: [], read_sessions: 0 });
  const progress = begun.phase === "seal" ? await withSealed(context, request, begun) : begun;
  const { removing } = progress;
  if (removing === null) {
    const ending = { state, by: by ?? "service", error };
    const ended = await endErasure(context, request, { progress, ending });
    if (!ended.ok) throw new Error(ended.refusal.detail);
    return { progress, result: ended.value };
  }
  const rest = removing.ending ? removing.progress : keepRest(removing.progress);
  const ending = { ...progress, removing: { ...removing, progress: rest, ending: true } };
  const taken = await removeFound(context, ending, { quoting: [], holds: async () => EVERYTHING });
  if ("ok" in taken) throw new Error(taken.refusal.detail);
  return taken;
}

/** A cause may be sealed that the progress does not know of, for the ledger's answer was lost: nothing has gone by it, and that is to be said. */
async function withSealed(
  context: JobContext,
  request: ErasureRequest,
  progress: ErasureProgress,
): Promise<ErasureProgress> {
  const sealed = await sealFound(context, request, { progress, again: true });
  if (sealed.ok) return sealed.value;
  if (sealed.refusal.code === "conflict") return progress;
  throw new Error(sealed.refusal.detail);
}
