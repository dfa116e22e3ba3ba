import { access, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { RECORD_MAX_BYTES } from "../../limits.ts";
import type { RecordLine } from "../../verifier/record-groups.ts";
import type { LogSource } from "../../verifier/source.ts";
import { openSource } from "../import/open-source.ts";

/** Record files: by their ending, or named as the archive names its segments. */
const RECORDS_PATTERN = /(\.ndjson|\.jsonl)(\.gz)?$|^\d{10}-\d{10}-[0-9a-f]{64}$/;
const LINE_END = 0x0a;

/** A folder as a log: the same paths as under the log's URL. */
export function folderSource(folder: string): LogSource {
  return {
    async read(path, { maxBytes }) {
      try {
        const file = await open(join(folder, path), "r");
        try {
          const { size } = await file.stat();
          if (size > maxBytes) return { kind: "unread", why: `it is longer than the ${maxBytes} bytes it may have` };
          return { kind: "bytes", bytes: new Uint8Array(await file.readFile()) };
        } finally {
          await file.close();
        }
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return { kind: "absent" };
        return { kind: "unread", why: `it cannot be read (${code})` };
      }
    },
  };
}

/** What of a log lies in a folder. */
export async function contentOf(folder: string): Promise<{ tiles: boolean; entries: boolean; records: string[] }> {
  const isThere = (path: string) =>
    access(join(folder, path)).then(
      () => true,
      () => false,
    );
  const names = await readdir(folder, { recursive: true });
  const records = names.filter((name) => {
    const [top = "", ...below] = name.split(/[\\/]/);
    return top !== "tile" && RECORDS_PATTERN.test(below.at(-1) ?? top);
  });
  return { tiles: await isThere("tile"), entries: await isThere("tile/entries"), records: records.sort() };
}

/**
 * The record lines of files, the file with the oldest first line first. `fault()` says what ended them too early:
 * lines that were not read are not missing from the log.
 */
export function recordLines(
  folder: string,
  names: readonly string[],
): { lines: AsyncIterable<RecordLine>; fault: () => string | null } {
  let fault: string | null = null;
  async function* lines(): AsyncGenerator<RecordLine> {
    for (const name of await byFirstIndex(folder, names)) {
      let number = 0;
      try {
        for await (const line of linesOf(openSource({ path: join(folder, name) }).chunks)) {
          number++;
          if (line !== "") yield { line: line ?? "", place: `${name} line ${number}` };
        }
      } catch (error) {
        fault = `${name}: ${error instanceof Error ? error.message : String(error)}`;
        return;
      }
    }
  }
  return { lines: lines(), fault: () => fault };
}

async function byFirstIndex(folder: string, names: readonly string[]): Promise<string[]> {
  const found: { name: string; first: number }[] = [];
  for (const name of names) {
    let first = Number.MAX_SAFE_INTEGER;
    try {
      for await (const line of linesOf(openSource({ path: join(folder, name) }).chunks)) {
        first = Number(/\\"index\\":(\d+),/.exec(line ?? "")?.[1] ?? first);
        break;
      }
    } catch {
      // Reading it in earnest will say what is wrong with it.
    }
    found.push({ name, first });
  }
  return found.sort((a, b) => a.first - b.first).map(({ name }) => name);
}

/** Lines of UTF-8; null for one that is none, or longer than a record can be. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string | null> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (): string | null => {
    const bytes = Buffer.concat(parts);
    const whole = length <= RECORD_MAX_BYTES;
    parts = [];
    length = 0;
    try {
      return whole ? decoder.decode(bytes) : null;
    } catch {
      return null;
    }
  };
  const keep = (part: Uint8Array) => {
    length += part.length;
    // Past the limit nothing more is held: the line is refused at its end.
    if (length <= RECORD_MAX_BYTES) parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      keep(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  if (length > 0) yield take();
}
