import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { assert } from "../errors.ts";
import { R2_LIST_MAX_KEYS, SEGMENT_MAX_COPIES, SEGMENT_MAX_ENTRIES, SEGMENT_READ_MAX_BYTES } from "../limits.ts";
import { padded } from "./padded.ts";
import { log as say } from "../log.ts";
import { count } from "../meter.ts";

/** A stored run of entries `first..last`, both inclusive. `name` is its R2 key. */
export type Segment = { first: number; last: number; name: string };

/** A segment as R2 lists it. `uploaded` in ms: of two of the same entries the later one was written anew, without what went. */
export type ListedSegment = Segment & { uploaded: number };

/** Entries that are not in the archive: to ask again changes nothing. */
export class LostSegment extends Error {
  override name = "LostSegment";
}

/** An object whose bytes are not those its name vouches for. */
export class DamagedSegment extends LostSegment {
  override name = "DamagedSegment";
}

/** What follows the prefix: anchored, for a log that continues this one lies under the same prefix. */
const NAME_PATTERN = /^(\d{10})-(\d{10})(?:-\d)?-[0-9a-f]{64}\.ndjson\.gz$/;
const OWN_PATTERN = /^\d{10}-/;
/** The fastest level: 10 µs an entry for a third of the bytes; the best saves a tenth more and takes twice as long. */
const GZIP_LEVEL = 1;

/** The metadata that a segment's head MAC stands under. */
const HEAD_MAC = "head-mac";

type Named = { first: number; last: number; copy: number; sha256: string };

/**
 * `seg/<log>/<first>-<last>-<sha256 of the record lines>.ndjson.gz`: zero-padded, so that R2 lists segments in order. A
 * further copy has its number before the hash, which is that of what was compressed: it vouches for the entries, however
 * they were packed.
 */
function segmentName(log: string, { first, last, copy, sha256 }: Named): string {
  return `${segmentPrefix(log)}${padded(first)}-${padded(last)}${copy === 1 ? "" : `-${copy}`}${nameEnd(sha256)}`;
}

function nameEnd(sha256: string): string {
  return `-${sha256}.ndjson.gz`;
}

/** Of the lines with their line ends, in hexadecimal digits. */
function hashOf(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

function segmentPrefix(log: string): string {
  return `seg/${log}/`;
}

/** Whether a segment's name says that it holds exactly these lines, joined by line feeds. */
export function namesLines({ name }: Segment, lines: string): boolean {
  return name.endsWith(nameEnd(hashOf(`${lines}\n`)));
}

/**
 * Stores record lines `first…` as one segment, once, and reads it back; when it returns, R2 holds exactly these lines
 * under a name that says so. Storing the same entries again finds the same name and changes nothing. An object that was
 * there before and holds other bytes stays as it is, for who looks into it: the segment is stored beside it. `headMac` goes
 * with it, the ledger's own word for the log up to here.
 */
export async function putSegment(
  bucket: R2Bucket,
  { log, first, lines, headMac }: { log: string; first: number; lines: readonly string[]; headMac: string | null },
): Promise<Segment> {
  assert(lines.length > 0, "a segment holds at least one entry");
  const text = new TextEncoder().encode(`${lines.join("\n")}\n`);
  const sha256 = hashOf(text);
  const body = gzipSync(text, { level: GZIP_LEVEL });
  const checksum = createHash("sha256").update(body).digest();
  const last = first + lines.length - 1;
  for (let copy = 1; ; copy++) {
    const name = segmentName(log, { first, last, copy, sha256 });
    // A crash after this put leaves a segment nobody knows of: the start-up comparison adopts it.
    const put = await bucket.put(name, body, {
      onlyIf: { etagDoesNotMatch: "*" },
      sha256: checksum,
      httpMetadata: { contentType: "application/gzip" },
      ...(headMac === null ? {} : { customMetadata: { [HEAD_MAC]: headMac } }),
    });
    try {
      // Equal bytes need not be unpacked; others that were there before may have been packed by another version.
      if (put === null) await readSegment(bucket, { first, last, name });
      else if (!Buffer.from(await bytesOf(bucket, name)).equals(body))
        throw new Error(`${name} was read back as other bytes`);
      return { first, last, name };
    } catch (error) {
      // Only what was there before is damaged for good.
      if (!(error instanceof DamagedSegment) || copy === SEGMENT_MAX_COPIES) throw error;
      count("audit_segments_damaged_total");
      say("error", { message: "a segment's object holds other bytes; the segment is stored beside it", name });
    }
  }
}

/** The record lines of a segment; throws when its bytes are not those its name vouches for. */
export async function readSegment(bucket: R2Bucket, segment: Segment): Promise<string[]> {
  const text = unpacked(await bytesOf(bucket, segment.name));
  if (text === null || !segment.name.endsWith(nameEnd(hashOf(text)))) {
    throw new DamagedSegment(`segment ${segment.name} holds other bytes`);
  }
  const lines = linesOf(text);
  if (lines?.length === segment.last - segment.first + 1) return lines;
  throw new DamagedSegment(`segment ${segment.name} holds other lines than its name says`);
}

/** Whatever lines an object of R2 holds, vouched for by nobody; null when it is not there or holds none. */
export async function heldLines(bucket: R2Bucket, { name }: Segment): Promise<string[] | null> {
  const object = await bucket.get(name);
  if (object === null || object.size > SEGMENT_READ_MAX_BYTES) return null;
  const text = unpacked(new Uint8Array(await object.arrayBuffer()));
  return text === null ? null : linesOf(text);
}

/** Lines of UTF-8; null when it is none. */
function linesOf(text: Uint8Array): string[] | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text).split("\n").slice(0, -1);
  } catch {
    return null;
  }
}

/** The head MAC that was stored with a segment; null when there is none. */
export async function headMacOf(bucket: R2Bucket, { name }: Segment): Promise<string | null> {
  const object = await bucket.head(name);
  return object?.customMetadata?.[HEAD_MAC] ?? null;
}

/** The bytes of an object; throws when it is not there, or larger than any segment. */
async function bytesOf(bucket: R2Bucket, name: string): Promise<Uint8Array> {
  const object = await bucket.get(name);
  if (object === null) throw new LostSegment(`segment ${name} is not in the archive`);
  if (object.size > SEGMENT_READ_MAX_BYTES) throw new DamagedSegment(`segment ${name} holds other bytes`);
  return new Uint8Array(await object.arrayBuffer());
}

/** What was packed; null when it is no gzip, or more than any segment holds. */
function unpacked(body: Uint8Array): Uint8Array | null {
  try {
    return gunzipSync(body, { maxOutputLength: SEGMENT_READ_MAX_BYTES });
  } catch {
    return null;
  }
}

/** Segments that begin at `from` or later, in order, at most `limit`: one list operation. */
export async function listSegments(
  bucket: R2Bucket,
  { log, from, limit }: { log: string; from: number; limit: number },
): Promise<ListedSegment[]> {
  const { listed } = await listPage(bucket, log, { startAfter: `${segmentPrefix(log)}${padded(from)}`, limit });
  return listed;
}

/** Every object that holds any of `[from, to)`, in order. */
export async function segmentsOver(
  bucket: R2Bucket,
  log: string,
  { from, to }: { from: number; to: number },
): Promise<ListedSegment[]> {
  return (await segmentsFrom(bucket, log, { from, past: to })).filter(({ first }) => first < to);
}

/**
 * Every object that holds an index from `from` on and begins before `past`, in order, and some that follow: none follows that
 * is not told of, when no more are.
 */
export async function segmentsFrom(
  bucket: R2Bucket,
  log: string,
  { from, past }: { from: number; past: number },
): Promise<ListedSegment[]> {
  const found: ListedSegment[] = [];
  // No segment holds more, so none that begins earlier reaches the index.
  let startAfter = `${segmentPrefix(log)}${padded(Math.max(0, from - SEGMENT_MAX_ENTRIES + 1))}`;
  for (;;) {
    const { listed, next } = await listPage(bucket, log, { startAfter, limit: R2_LIST_MAX_KEYS });
    found.push(...listed.filter(({ last }) => last >= from));
    if (next === null || (found.at(-1)?.first ?? -1) >= past) return found;
    startAfter = next;
  }
}

/** One list operation; `next`: the key after which there is more. Objects of one index may lie on both sides of it. */
async function listPage(
  bucket: R2Bucket,
  log: string,
  { startAfter, limit }: { startAfter: string; limit: number },
): Promise<{ listed: ListedSegment[]; next: string | null }> {
  const prefix = segmentPrefix(log);
  const { objects, truncated } = await bucket.list({ prefix, startAfter, limit });
  const listed = objects.flatMap(({ key, uploaded }) => {
    const match = NAME_PATTERN.exec(key.slice(prefix.length));
    if (match === null) return [];
    return [{ first: Number(match[1]), last: Number(match[2]), name: key, uploaded: uploaded.getTime() }];
  });
  const last = objects.at(-1)?.key ?? "";
  // Logs that continue this one come after all that is its own.
  return { listed, next: truncated && OWN_PATTERN.test(last.slice(prefix.length)) ? last : null };
}

/** Takes segments away, for good; those that are gone already change nothing. */
export async function deleteSegments(bucket: R2Bucket, segments: readonly Segment[]): Promise<void> {
  if (segments.length > 0) await bucket.delete(segments.map(({ name }) => name));
}
