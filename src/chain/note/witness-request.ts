import { base64 } from "../encoding.ts";

/**
 * The body that asks a witness for its cosignature: C2SP tlog-witness, "add-checkpoint". `from` is the size of the
 * checkpoint it cosigned last, 0 if none, and `hashes` the consistency proof from there. What it answers with, put
 * after `checkpoint`, is a note that `openNote` opens with its key.
 */
export function addCheckpointBody({
  from,
  hashes,
  checkpoint,
}: {
  from: number;
  hashes: readonly Uint8Array[];
  checkpoint: string;
}): string {
  return `${[`old ${from}`, ...hashes.map(base64)].join("\n")}\n\n${checkpoint}`;
}
