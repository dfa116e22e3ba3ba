import { readAbsenceList } from "../archive/absence-list.ts";
import { type AbsenceList, absenceListHash, parseAbsenceList } from "../chain/absence-list.ts";
import type { Config } from "../env.ts";
import { logOf } from "../query/logs.ts";
import type { Removal } from "../schema/keep.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { sha256 } from "../sha256.ts";

/** The list of a removal, as its cause committed to it; throws when R2 does not have exactly that. */
export async function removalList(config: Config, grant: ReadGrant, { list, by_log }: Removal): Promise<AbsenceList> {
  const log = logOf(grant, by_log);
  if (!log.ok) throw new Error(`the org has no log ${by_log}`);
  const text = await readAbsenceList(config.archive, { log: log.value.log, sha256: list });
  const parsed = text !== null && absenceListHash(sha256, text) === list ? parseAbsenceList(text) : null;
  if (parsed === null) throw new Error(`the list ${list} is not in the archive as it was put`);
  return parsed;
}

/** The part of a list from index `from` on, below `to`. */
export function partOf(list: AbsenceList, { from, to }: { from: number; to: number }): [number, readonly string[]][] {
  return [...list].filter(([index]) => index >= from && index < to);
}
