import { sameBytes } from "../chain/bytes.ts";
import { utf8 } from "../chain/encoding.ts";
import { noteText } from "../chain/note/note.ts";
import { TILE_WIDTH } from "../chain/tile.ts";
import { ABSENCE_LIST_MAX_BYTES, LEAF_MAX_BYTES, R2_LIST_MAX_KEYS } from "../limits.ts";
import { padded } from "./padded.ts";

/** A store holds what this log cannot have written: other bytes under a name, or a broken link. Nothing may be signed over it. */
export class TreeConflict extends Error {
  override name = "TreeConflict";
}

/** A list, or a bundle of 256 leaves with their lengths; tiles and notes are smaller. */
const OBJECT_MAX_BYTES = Math.max(ABSENCE_LIST_MAX_BYTES, TILE_WIDTH * (LEAF_MAX_BYTES + 2));

function treePrefix(log: string): string {
  return `tree/${log}/`;
}

function checkpointPrefix(log: string): string {
  return `${treePrefix(log)}checkpoint/`;
}

/** `tree/<log>/checkpoint/<size>`: zero-padded, so that R2 lists checkpoints in order of size. */
function checkpointName(log: string, size: number): string {
  return `${checkpointPrefix(log)}${padded(size)}`;
}

/**
 * Stores a full tile, a full entry bundle or a list of absences, once, under its path. When it returns, R2 holds exactly these bytes:
 * a name that was taken is read and compared, and other bytes are a `TreeConflict`.
 */
export async function putTreeObject(
  bucket: R2Bucket,
  { log, path, bytes }: { log: string; path: string; bytes: Uint8Array },
): Promise<void> {
  const name = `${treePrefix(log)}${path}`;
  const httpMetadata = { contentType: "application/octet-stream" };
  const taken = await putOnce(bucket, { name, bytes, httpMetadata });
  if (taken !== null && !sameBytes(taken, bytes)) throw new TreeConflict(`${name} holds other bytes`);
}

/** The bytes of a full tile, a full bundle or a list; null when R2 does not have it. */
export async function readTreeObject(
  bucket: R2Bucket,
  { log, path }: { log: string; path: string },
): Promise<Uint8Array | null> {
  return readObject(bucket, `${treePrefix(log)}${path}`);
}

/**
 * Stores the checkpoint of a size, once. When it returns, R2 holds a checkpoint with this text, the first three lines,
 * at this size: one that names another root is a `TreeConflict`, for two roots at one size would be a fork.
 */
export async function putCheckpoint(
  bucket: R2Bucket,
  { log, size, note }: { log: string; size: number; note: string },
): Promise<void> {
  const name = checkpointName(log, size);
  const httpMetadata = { contentType: "text/plain; charset=utf-8" };
  const taken = await putOnce(bucket, { name, bytes: utf8(note), httpMetadata });
  if (taken === null) return;
  const held = new TextDecoder().decode(taken);
  if (noteText(held) !== noteText(note)) throw new TreeConflict(`${name} is a checkpoint of another tree`);
}

/** Sizes of the checkpoints beyond `after`, in order; `whole` unless there are more. One list operation. */
export async function listCheckpoints(
  bucket: R2Bucket,
  { log, after }: { log: string; after: number },
): Promise<{ sizes: number[]; whole: boolean }> {
  const prefix = checkpointPrefix(log);
  const listed = await bucket.list({ prefix, startAfter: checkpointName(log, after), limit: R2_LIST_MAX_KEYS });
  const sizes = listed.objects.map(({ key }) => key.slice(prefix.length)).filter((name) => /^\d{10}$/.test(name));
  return { sizes: sizes.map(Number), whole: !listed.truncated };
}

/** The checkpoint of a size, a note; null when R2 does not have it. */
export async function readCheckpoint(
  bucket: R2Bucket,
  { log, size }: { log: string; size: number },
): Promise<string | null> {
  const bytes = await readObject(bucket, checkpointName(log, size));
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

/** Puts an object unless its name is taken; answers what lies there then, null when it was put. */
async function putOnce(
  bucket: R2Bucket,
  { name, bytes, httpMetadata }: { name: string; bytes: Uint8Array; httpMetadata: R2HTTPMetadata },
): Promise<Uint8Array | null> {
  const sha256 = await crypto.subtle.digest("SHA-256", bytes);
  // Null says that the name was taken; the checksum, that what arrived is what was sent.
  const options = { onlyIf: { etagDoesNotMatch: "*" }, sha256, httpMetadata };
  const put = await bucket.put(name, bytes, options).catch((error: unknown) => {
    if (isLocked(error)) return null;
    throw error;
  });
  if (put !== null) return null;
  const taken = await readObject(bucket, name);
  if (taken === null) throw new Error(`${name} is taken and is not there`);
  return taken;
}

/** What is larger than anything of ours is somebody else's, and not read: it would not fit into memory. */
async function readObject(bucket: R2Bucket, name: string): Promise<Uint8Array | null> {
  const object = await bucket.get(name);
  if (object === null) return null;
  return object.size > OBJECT_MAX_BYTES ? new Uint8Array(0) : new Uint8Array(await object.arrayBuffer());
}

/** A bucket lock keeps what is there from being written over, which is not what was wanted. Source: R2 error 10069. */
function isLocked(error: unknown): boolean {
  return /\b10069\b|locked/i.test(String(error));
}
