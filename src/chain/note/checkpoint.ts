import { LOG_MAX_ENTRIES } from "../../limits.ts";
import { base64, fromBase64 } from "../encoding.ts";
import { HASH_BYTES } from "../node-hash.ts";

/** What a checkpoint says: the tree of the log `origin` had `root` at `size`. `extensions` are lines we never write. */
export type Checkpoint = { origin: string; size: number; root: Uint8Array; extensions?: readonly string[] };

/** The text of a checkpoint: C2SP tlog-checkpoint, "Note text". It is P of the genesis of a log that continues this. */
export function checkpointText({ origin, size, root, extensions = [] }: Checkpoint): string {
  return [origin, size, base64(root), ...extensions, ""].join("\n");
}

/** Reads exactly what `checkpointText` writes; null for any other text and for a size no log of ours reaches. */
export function parseCheckpoint(text: string): Required<Checkpoint> | null {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.some((line) => line === "")) return null;
  const [origin, digits, encoded, ...extensions] = lines;
  if (origin === undefined || digits === undefined || encoded === undefined) return null;
  const size = readDecimal(digits);
  const root = fromBase64(encoded);
  if (size === null || size > LOG_MAX_ENTRIES || root?.length !== HASH_BYTES) return null;
  return { origin, size, root, extensions };
}

/** A count in decimal digits without leading zeros; null for any other text and beyond what a number holds exactly. */
export function readDecimal(text: string): number | null {
  if (!/^(0|[1-9]\d{0,15})$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
