import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import type { Caller } from "../schema/caller.ts";
import type { TreeView } from "../schema/ledger.ts";

/** A tree of which there is a checkpoint. */
export type PublishedTree = TreeView & { note: string };

/**
 * Whoever asks for the tree of which of an org's logs: `caller` null is everybody, who gets it where the log is public.
 * `number`: the logs of an org count from 1, null is the newest. `network`: where from. `forEntry`: to prove an entry that
 * the caller was shown, which who may not see the whole log may have as well.
 */
export type TreeReader = {
  org: string;
  caller: Caller | null;
  number: number | null;
  network?: string;
  forEntry?: boolean;
};

/** The published tree of a log, of at least `minSize` entries: they are put under a checkpoint, which is waited for. */
export async function treeOf(config: Config, reader: TreeReader, minSize = 0): Promise<Result<PublishedTree>> {
  const view = await viewOf(config, reader, minSize);
  if (!view.ok) return view;
  const { note, ...tree } = view.value;
  return note === null ? NOT_PUBLISHED : ok({ ...tree, note });
}

/** The same, also where there is no checkpoint yet. */
export function viewOf(
  config: Config,
  { org, caller, number, network = "unknown", forEntry = false }: TreeReader,
  minSize = 0,
): Promise<Result<TreeView>> {
  const question = { minSize, log: number, network, forEntry };
  return callLedger(config, org, async (ledger) => await ledger.treeView(org, caller, question));
}

const NOT_PUBLISHED = refuse(
  "not_found",
  "This log has no checkpoint yet; the first comes a minute after its first entry.",
);
