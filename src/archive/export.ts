import { createHash } from "node:crypto";
import { hex } from "../chain/encoding.ts";
import { R2_DELETE_MAX_KEYS } from "../limits.ts";

const PART_DIGITS = 5;

/** Whose files these are. Ids of exports are of letters and digits, and names of orgs hold no slash. */
export type ExportPlace = { org: string; id: string };

/** `bytes` long and of this SHA-256, hex. */
export type StoredPart = { name: string; bytes: number; sha256: string };

function prefixOf({ org, id }: ExportPlace): string {
  return `export/${org}/${id}/`;
}

/** What part `number`, from 1 on, is called. */
export function partName(number: number, format: string): string {
  return `${String(number).padStart(PART_DIGITS, "0")}.${format}`;
}

/**
 * Stores a file of an export. One that a step stored before it crashed is replaced: what was withheld since is not in this
 * one. When it returns, R2 holds these bytes.
 */
export async function putExportFile(
  bucket: R2Bucket,
  place: ExportPlace,
  { name, bytes, type }: { name: string; bytes: Uint8Array; type: string },
): Promise<StoredPart> {
  const digest = createHash("sha256").update(bytes).digest();
  await bucket.put(`${prefixOf(place)}${name}`, bytes, { sha256: digest, httpMetadata: { contentType: type } });
  return { name, bytes: bytes.length, sha256: hex(digest) };
}

/** Whether R2 holds a file as it was stored. */
export async function isExportFile(bucket: R2Bucket, place: ExportPlace, part: StoredPart): Promise<boolean> {
  const held = await bucket.head(`${prefixOf(place)}${part.name}`);
  return held !== null && isWhole(held, part);
}

/** The bytes `[from, to)` of a file, as a stream; throws when R2 does not hold it as it was stored. */
export async function streamExportFile(
  bucket: R2Bucket,
  place: ExportPlace,
  { part, from, to }: { part: StoredPart; from: number; to: number },
): Promise<ReadableStream<Uint8Array>> {
  const held = await bucket.get(`${prefixOf(place)}${part.name}`, { range: { offset: from, length: to - from } });
  if (held === null || !isWhole(held, part)) throw new Error(`${part.name} of ${place.id} is not as it was stored`);
  return held.body;
}

function isWhole({ size, checksums }: R2Object, { bytes, sha256 }: StoredPart): boolean {
  return size === bytes && checksums.sha256 !== undefined && hex(new Uint8Array(checksums.sha256)) === sha256;
}

/**
 * What R2 held of a file when it was this long; null when that is not there. A step that crashed may have put the file again, with
 * more after it.
 */
export async function readExportFile(
  bucket: R2Bucket,
  place: ExportPlace,
  part: StoredPart,
): Promise<Uint8Array | null> {
  const held = await bucket.get(`${prefixOf(place)}${part.name}`, { range: { offset: 0, length: part.bytes } });
  if (held === null) return null;
  const bytes = new Uint8Array(await held.arrayBuffer());
  return hex(createHash("sha256").update(bytes).digest()) === part.sha256 ? bytes : null;
}

/** Removes every file of an export, a thousand at a time. */
export async function deleteExportFiles(bucket: R2Bucket, place: ExportPlace): Promise<void> {
  for (;;) {
    const { objects, truncated } = await bucket.list({ prefix: prefixOf(place), limit: R2_DELETE_MAX_KEYS });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    if (!truncated) return;
  }
}
