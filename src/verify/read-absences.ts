import { readAbsenceList } from "../archive/absence-list.ts";
import type { Config } from "../env.ts";
import { NOT_FOUND, ok, type Result } from "../errors.ts";
import { type TreeReader, viewOf } from "./tree-view.ts";

/** The list that a cause in this log commits to, by the hash it names; for whom the tree is for. */
export async function readAbsences(
  config: Config,
  reader: TreeReader,
  sha256: string,
): Promise<Result<{ text: string; public: boolean }>> {
  const tree = await viewOf(config, reader);
  if (!tree.ok) return tree;
  if (!/^[0-9a-f]{64}$/.test(sha256)) return NOT_FOUND;
  const text = await readAbsenceList(config.archive, { log: tree.value.log, sha256 });
  return text === null ? NOT_FOUND : ok({ text, public: tree.value.public });
}
