import type { JobContext, Stepped, Unfinished } from "../jobs/kind.ts";
import type { Certificate, ErasureRequest } from "../schema/erasure.ts";
import { endErasure } from "./end-erasure.ts";
import { type ErasureProgress, progressIn } from "./erasure-progress.ts";
import { EVERYTHING, keepRest } from "./remove.ts";
import { removeFound } from "./remove-found.ts";

/**
 * One step of ending an erasure that failed or was cancelled: what has begun to go by a cause goes from every store, so that all of them say the same of
 * each entry; the rest of its list stays, and in an earlier log what lies in R2 whole beside what was written anew. Then it is sealed that it ended, and what went is certified.
 */
export async function settleErasure(
  context: JobContext,
  request: ErasureRequest,
  { state, by, error, progress: before }: Unfinished<ErasureProgress>,
): Promise<Stepped<ErasureProgress, Certificate>> {
  // A crash between a cause and the progress that knows of it has left one that nothing has gone by.
  const progress = before ?? progressIn([], { names: [], read_sessions: 0 });
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
