import { utf8 } from "../chain/encoding.ts";
import { noteKey } from "../chain/note/note-key.ts";
import { formatTlogProof } from "../chain/proof/tlog-proof.ts";
import { verifyEntryProof } from "../chain/proof/verify-entry-proof.ts";
import type { Config } from "../env.ts";
import { assert, ok, refuse, type Result } from "../errors.ts";
import { logSigner } from "../log-signer.ts";
import { entryAsked, findEntry, rangeAnswered } from "../query/get-entry.ts";
import { type Reader, type Traced, traced } from "../query/traced.ts";
import { sha256 } from "../sha256.ts";
import { verifyEd25519 } from "../verify-ed25519.ts";
import { inclusionOf } from "../archive/prove.ts";
import { TreeTiles } from "../archive/tree-tiles.ts";
import { type PublishedTree, treeOf } from "./tree-view.ts";

/**
 * The proof of one entry, found as `getEntry` finds it, a C2SP tlog-proof with the sections its reader may see: the others are absent as `withheld`. An
 * entry under no checkpoint yet gets one, which is waited for. Traced like a get, for it carries sections; null, and
 * traced as well, when the log has no such entry.
 */
export async function proveEntry(
  config: Config,
  reader: Reader,
  idOrIndex: string,
  number: number | null = null,
): Promise<Result<Traced<string | null>>> {
  const { org, caller } = reader;
  return traced<string | null>(config, reader, {
    route: "events.proof",
    filter: entryAsked(idOrIndex, number),
    read: async (grant) => {
      const found = await findEntry(config, reader, { grant, idOrIndex, number });
      if (!found.ok) return found;
      if (found.value === null) return ok({ answer: null, results: 0, range: null });
      const { row, index } = found.value;
      if (row.kind !== "entry") return refuse("unprocessable", UNKNOWN_FORMAT);
      const tree = await treeOf(config, { org, caller, number: found.value.number, forEntry: true }, index + 1);
      if (!tree.ok) return tree;
      if (index >= tree.value.size) return refuse("unprocessable", LOST_TOP);
      const answer = await proofOf(config, { tree: tree.value, index, record: JSON.stringify(row.record) });
      return ok({ answer, results: 1, range: rangeAnswered(grant, found.value) });
    },
  });
}

const LOST_TOP =
  "This log was continued as another, and the top of its tree is lost: proofs made before hold, and no new ones can be made.";

const UNKNOWN_FORMAT =
  "This entry is stored in a form that is not known here: verify says what is wrong with it. Its leaf and its inclusion are served all the same.";

/** The text of the proof, checked as its receiver will check it. */
async function proofOf(
  config: Config,
  { tree, index, record }: { tree: PublishedTree; index: number; record: string },
): Promise<string> {
  const { size, note, log } = tree;
  const { hashes } = await inclusionOf(new TreeTiles(config.archive, tree), { index, size, stored: size });
  const proof = formatTlogProof({ extra: utf8(record), index, hashes, checkpoint: note });
  const keys = [noteKey(sha256, { name: log, type: "ed25519", publicKey: logSigner(config, log).publicKey })];
  const report = await verifyEntryProof({ sha256, verifyEd25519 }, { proof, origin: log, keys });
  assert(report.ok, `a proof that is answered verifies${report.ok ? "" : `: ${report.kind}`}`);
  return proof;
}
