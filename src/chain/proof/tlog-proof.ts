import { LOG_MAX_ENTRIES, PROOF_MAX_BYTES, PROOF_MAX_HASHES } from "../../limits.ts";
import { base64, fromBase64 } from "../encoding.ts";
import { HASH_BYTES } from "../node-hash.ts";
import { readDecimal } from "../note/checkpoint.ts";

/**
 * The proof that an entry is in a log: C2SP tlog-proof@v1. `hashes` is its inclusion proof in the tree of `checkpoint`,
 * a signed note. `extra` is UTF-8 text for us, the entry's record line; null in a proof that does not carry the entry.
 */
export type TlogProof = { extra: Uint8Array | null; index: number; hashes: Uint8Array[]; checkpoint: string };

const HEADER = "c2sp.org/tlog-proof@v1";
const EXTRA = "extra ";
const INDEX = "index ";

/** The text of a proof. The checkpoint stands at its end as it is, and nothing follows it. */
export function formatTlogProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  const carried = extra === null ? [] : [`${EXTRA}${base64(extra)}`];
  const lines = [HEADER, ...carried, `${INDEX}${index}`, ...hashes.map(base64)];
  return `${lines.join("\n")}\n\n${checkpoint}`;
}

/** Reads exactly what `formatTlogProof` writes; null for any other text. The checkpoint is not looked at. */
export function parseTlogProof(text: string): TlogProof | null {
  if (text.length > PROOF_MAX_BYTES) return null;
  const split = text.indexOf("\n\n");
  if (split < 0) return null;
  const [header, ...lines] = text.slice(0, split).split("\n");
  if (header !== HEADER) return null;
  let extra: Uint8Array | null = null;
  if (lines[0]?.startsWith(EXTRA)) {
    extra = fromBase64(lines[0].slice(EXTRA.length));
    if (extra === null) return null;
    lines.shift();
  }
  const indexLine = lines.shift();
  if (!indexLine?.startsWith(INDEX)) return null;
  const index = readDecimal(indexLine.slice(INDEX.length));
  if (index === null || index >= LOG_MAX_ENTRIES || lines.length > PROOF_MAX_HASHES) return null;
  const hashes: Uint8Array[] = [];
  for (const line of lines) {
    const hash = fromBase64(line);
    if (hash?.length !== HASH_BYTES) return null;
    hashes.push(hash);
  }
  return { extra, index, hashes, checkpoint: text.slice(split + 2) };
}
