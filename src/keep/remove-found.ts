import { parseAbsenceList } from "../chain/absence-list.ts";
import { assert } from "../errors.ts";
import { withdrawExports } from "../export/withdraw.ts";
import type { JobContext, Refused, Stepped } from "../jobs/kind.ts";
import type { Certificate, ErasureCause } from "../schema/erasure.ts";
import type { ErasureProgress } from "./erasure-progress.ts";
import { sumOf } from "./gone-counts.ts";
import { type Holding, removeStep } from "./remove.ts";
import { afterChunk } from "./search-subject.ts";

const BETWEEN = "Of the entries between the first and the last in it some were erased: it may have held them.";

/**
 * Takes one step of the removal whose cause an erasure sealed last, but for what `holds` keep. Behind the last one exports that may hold what went are
 * withdrawn, and those that quote any of `quoting`, and the cause is one of those that were carried out.
 */
export async function removeFound(
  { config, org }: Pick<JobContext, "config" | "org">,
  progress: ErasureProgress,
  { quoting, holds }: { quoting: readonly string[]; holds: () => Promise<Holding> },
): Promise<Stepped<ErasureProgress, Certificate> | Refused> {
  const { removing, chunk, causes, elsewhere } = progress;
  assert(removing !== null, "what is carried out was sealed");
  const { removal, ending } = removing;
  const taken = await removeStep(config, org, { removal, progress: removing.progress, holds });
  if (taken.progress.at !== "done") {
    const { progress: moved, ...wait } = taken;
    return { progress: { ...progress, removing: { ...removing, progress: moved } }, result: null, ...wait };
  }
  const { gone, quoting: notes, held, unreadable } = taken.progress;
  const went = sumOf(gone);
  const indexes = went.entries === 0 ? [] : [...(parseAbsenceList(chunk.list)?.keys() ?? [])];
  const runs = indexes.map((index) => ({ log: removal.log, first: index, last: index }));
  const withdrawn = await withdrawExports(config, org, { runs, quoting, because: BETWEEN });
  if (!withdrawn.ok) return withdrawn;
  const { by, by_log, log, list } = removal;
  const kept = ending ? { held: 0, left: held } : { held, left: 0 };
  const cause: ErasureCause = { log: by_log, index: by, of_log: log, list, ...went, quoting: notes, ...kept };
  return {
    progress: {
      ...afterChunk({ ...progress, chunk: { ...chunk, unreadable: chunk.unreadable + unreadable } }),
      removing: null,
      causes: [...causes, cause],
      elsewhere: { ...elsewhere, exports: elsewhere.exports + withdrawn.value },
    },
    result: null,
  };
}
