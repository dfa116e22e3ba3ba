import { parseAbsenceList } from "../chain/absence-list.ts";
import { assert, ok, type Result } from "../errors.ts";
import type { JobContext } from "../jobs/kind.ts";
import { nameOf } from "../schema/caller.ts";
import type { ErasureRequest } from "../schema/erasure.ts";
import { beginRemoval } from "./begin-removal.ts";
import { erasureAct } from "./erasure-act.ts";
import type { ErasureProgress } from "./erasure-progress.ts";
import { REMOVAL_BEGUN } from "./remove.ts";

/**
 * Seals the cause of a list that an erasure found, which is carried out next; `again`: only finds the one that was sealed before. Refused with
 * `conflict` when holds have changed since, or there is none.
 */
export async function sealFound(
  { config, org, id, by }: JobContext,
  { reason, sections }: Pick<ErasureRequest, "reason" | "sections">,
  { progress, again }: { progress: ErasureProgress; again: boolean },
): Promise<Result<ErasureProgress>> {
  const { chunk, at } = progress;
  const list = parseAbsenceList(chunk.list);
  assert(list !== null && chunk.version !== null, "a chunk's list was made by us");
  const act = erasureAct("indelible.erasure.begun", { id, key: nameOf(by), reason });
  const sealed = await beginRemoval(config, org, {
    cause: "erased",
    log: at.log,
    list,
    holds_version: chunk.version,
    act: { ...act, metadata: { sections } },
    once: `indelible.erasure.begun  ${id}`,
    again,
  });
  if (!sealed.ok) return sealed;
  // A crash before the progress is saved seals nothing again: the same list has the same cause.
  const removing = { removal: sealed.value, progress: REMOVAL_BEGUN, ending: false };
  return ok({ ...progress, phase: "remove", found: true, removing });
}
