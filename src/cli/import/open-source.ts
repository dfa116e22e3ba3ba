import { createReadStream } from "node:fs";
import { pipeline, Readable, Transform } from "node:stream";
import { createGunzip } from "node:zlib";

/** An input as its decompressed bytes; `bytesRead()` counts what was taken from the file itself. */
export type OpenSource = { chunks: AsyncIterable<Uint8Array>; bytesRead: () => number };

/** Small enough that the share of a file that was read shows how far it is. */
const READ_BYTES = 65_536;
const UNPACK_BYTES = 262_144;

/** First bytes of formats that cannot be read, and what to do about each. */
const FOREIGN: ReadonlyArray<{ magic: number[]; remedy: string }> = [
  { magic: [0x50, 0x4b, 0x03, 0x04], remedy: "it is a zip archive: unpack it first" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], remedy: "it is zstd: unpack it first (zstd -d)" },
  { magic: [0x42, 0x5a, 0x68], remedy: "it is bzip2: unpack it first (bunzip2)" },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], remedy: "it is xz: unpack it first (unxz)" },
  { magic: [0xff, 0xfe], remedy: "it is UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)" },
  { magic: [0xfe, 0xff], remedy: "it is UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)" },
  { magic: [0x50, 0x41, 0x52, 0x31], remedy: "it is Parquet: export it as JSON first" },
];
const GZIP = [0x1f, 0x8b];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** An input whose bytes cannot be read on: the message is for the reader of the terminal. */
class UnreadableSource extends Error {
  override name = "UnreadableSource";
}

/**
 * Opens a file, or a stream for `-`, and unpacks gzip, told by its first bytes and never by its name. A leading byte
 * order mark is dropped. Reading throws `UnreadableSource` for formats it cannot read and for damaged gzip.
 */
export function openSource(source: { path: string } | { stream: Readable }): OpenSource {
  const raw = "path" in source ? createReadStream(source.path, { highWaterMark: READ_BYTES }) : source.stream;
  let bytes = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of raw as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  return { chunks: decoded(counted()), bytesRead: () => bytes };
}

async function* decoded(raw: AsyncGenerator<Buffer>): AsyncGenerator<Uint8Array> {
  const head = await takeHead(raw);
  const foreign = FOREIGN.find(({ magic }) => startsWith(head, magic));
  if (foreign !== undefined) throw new UnreadableSource(foreign.remedy);
  if (!startsWith(head, GZIP)) {
    yield* withoutMark(joined(head, raw));
    return;
  }
  const unpack: Transform = createGunzip({ chunkSize: UNPACK_BYTES });
  // Errors of either side surface where the unpacked bytes are read.
  pipeline(Readable.from(joined(head, raw), { objectMode: false }), unpack, () => {});
  try {
    yield* withoutMark(unpack as AsyncIterable<Buffer>);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnreadableSource(`the gzip data is damaged or cut off (${why}): what came before it was read`);
  } finally {
    unpack.destroy();
  }
}

async function takeHead(raw: AsyncGenerator<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  while (length < 8) {
    const next = await raw.next();
    if (next.done) break;
    parts.push(next.value);
    length += next.value.length;
  }
  return Buffer.concat(parts);
}

async function* joined(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}

async function* withoutMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let head: Buffer = Buffer.alloc(0);
  let begun = false;
  for await (const chunk of chunks) {
    if (begun) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < BYTE_ORDER_MARK.length) continue;
    begun = true;
    yield startsWith(head, BYTE_ORDER_MARK) ? head.subarray(BYTE_ORDER_MARK.length) : head;
  }
  if (!begun) yield head;
}

function startsWith(bytes: Uint8Array, magic: number[]): boolean {
  return magic.every((byte, at) => bytes[at] === byte);
}
