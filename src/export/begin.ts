import { parseCheckpoint } from "../chain/note/checkpoint.ts";
import { noteText } from "../chain/note/note.ts";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { quarantinesOf } from "./permit-step.ts";
import type { Caller } from "../schema/caller.ts";
import type { NumberedLog } from "../schema/export.ts";
import type { LogGrant, ReadGrant } from "../schema/ledger.ts";
import { treeOf } from "../verify/tree-view.ts";
import { logsOf } from "../query/logs.ts";
import { NONE_MISSING } from "./missing.ts";
import type { ExportProgress } from "./progress.ts";

/**
 * What an export is of: every log of the org up to a checkpoint of now, which is published if need be. Whatever is sealed
 * later is not in it.
 */
export async function beginExport(
  config: Config,
  { org, by }: { org: string; by: Caller },
  grant: ReadGrant,
): Promise<Result<ExportProgress>> {
  const logs: NumberedLog[] = [];
  for (const log of logsOf(grant).toReversed()) {
    const found = await logOf(config, { org, by }, { log, newest: log.number === grant.number });
    if (!found.ok) return found;
    logs.push(found.value);
  }
  const quarantines = quarantinesOf(grant);
  const nothing = { held: null, read: 0, missing: NONE_MISSING, rows: 0, bytes: 0, parts: [], checked: 0 };
  return ok({ logs, quarantines, began_at: Date.now(), waited_ms: 0, log: 0, index: 0, ...nothing });
}

/** Of a log that was continued and whose top is lost there is no checkpoint that anything could be proven under. */
async function logOf(
  config: Config,
  { org, by }: { org: string; by: Caller },
  { log: { number, log, size: held }, newest }: { log: LogGrant; newest: boolean },
): Promise<Result<NumberedLog>> {
  const nothing = { number, log, first: null, last: null, rows: 0 };
  const tree = await treeOf(config, { org, caller: by, number }, newest ? held : 0);
  if (!tree.ok)
    return newest || tree.refusal.code !== "not_found" ? tree : ok({ ...nothing, size: held, checkpoint: null });
  const { note, size } = tree.value;
  const covered = parseCheckpoint(noteText(note))?.size;
  if (covered !== size) return ok({ ...nothing, size: held, checkpoint: null });
  return ok({ ...nothing, size, checkpoint: note });
}
