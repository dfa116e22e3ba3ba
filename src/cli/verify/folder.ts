import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { RECORD_MAX_BYTES } from "../../limits.ts";
import { linesOf } from "../../verifier/lines-of.ts";
import type { RecordLine } from "../../verifier/record-groups.ts";
import type { LogSource } from "../../verifier/source.ts";
import { openSource } from "../import/open-source.ts";

/** Record files, the archive's segments among them, by their ending. */
const RECORDS_PATTERN = /\.(ndjson|jsonl)(\.gz)?$/;

/** A folder as a log: the same paths as under the log's URL. */
export function folderSource(folder: string): LogSource {
  return {
    async read(path, { maxBytes }) {
      try {
        // Asked before it is opened: a pipe would be waited for, and a device has no end.
        const found = await stat(join(folder, path));
        if (found.isDirectory()) return { kind: "absent" };
        if (!found.isFile()) return { kind: "unread", why: "it is no file" };
        const { size } = found;
        if (size > maxBytes) return { kind: "unread", why: `it is longer than the ${maxBytes} bytes it may have` };
        const file = await open(join(folder, path), "r");
        try {
          const { buffer, bytesRead } = await file.read(new Uint8Array(size));
          return { kind: "bytes", bytes: buffer.subarray(0, bytesRead) };
        } finally {
          await file.close();
        }
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
        return { kind: "unread", why: `it cannot be read (${code})` };
      }
    },
  };
}

/** What of a log lies in a folder; a folder in it that is named by a number and has a checkpoint is of another log. */
export async function contentOf(folder: string): Promise<{ tiles: boolean; entries: boolean; records: string[] }> {
  const names = await readdir(folder, { recursive: true });
  const there = new Set(names.map((name) => name.replaceAll("\\", "/")));
  const records: string[] = [];
  for (const name of names) {
    const [top = ""] = name.split(/[\\/]/);
    const apart = top === "tile" || (/^\d+$/.test(top) && there.has(`${top}/checkpoint`));
    if (apart || !RECORDS_PATTERN.test(name)) continue;
    // A link that leads nowhere is a file that cannot be read.
    const found = await stat(join(folder, name)).catch(() => null);
    if (found === null || found.isFile()) records.push(name);
  }
  return { tiles: there.has("tile"), entries: there.has("tile/entries"), records: records.sort() };
}

/**
 * The record lines of files, in order of their index where files overlap: the archive may hold an entry in two segments,
 * and a line that two files have alike comes once. `fault()` says what ended them too early: lines that were not read are
 * not missing from the log.
 */
export function recordLines(
  folder: string,
  names: readonly string[],
): { lines: AsyncIterable<RecordLine>; fault: () => string | null } {
  let fault: string | null = null;
  async function* lines(): AsyncGenerator<RecordLine> {
    const waiting = await byFirstIndex(folder, names);
    const reading: RecordFile[] = [];
    let lastLine = "";
    let lastFile: RecordFile | null = null;
    for (;;) {
      const low = Math.min(...reading.map(({ index }) => index));
      const [next] = waiting;
      const file = next !== undefined && next.first <= low ? new RecordFile(folder, next.name) : null;
      const from = file ?? reading.find(({ index }) => index === low);
      if (from === undefined) return;
      if (file !== null) {
        waiting.shift();
        reading.push(file);
      } else {
        const { line, place } = from;
        const again = line !== "" && line === lastLine && from !== lastFile;
        [lastLine, lastFile] = [line, from];
        if (!again) yield { line, place };
      }
      try {
        if (!(await from.advance())) reading.splice(reading.indexOf(from), 1);
      } catch (error) {
        fault = `${from.name}: ${error instanceof Error ? error.message : String(error)}`;
        return;
      }
    }
  }
  return { lines: lines(), fault: () => fault };
}

/** A file of record lines at one of them. What names no index is taken for the entry after the line before. */
class RecordFile {
  readonly name: string;
  line = "";
  index = -1;
  #number = 0;
  readonly #lines: AsyncIterator<string | null>;

  constructor(folder: string, name: string) {
    this.name = name;
    this.#lines = linesIn(folder, name)[Symbol.asyncIterator]();
  }

  get place(): string {
    return `${this.name} line ${this.#number}`;
  }

  /** Goes to the next line that is not empty; false at the end. */
  async advance(): Promise<boolean> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) return false;
      this.#number++;
      if (value === "") continue;
      this.line = value ?? "";
      this.index = indexOf(this.line) ?? this.index + 1;
      return true;
    }
  }
}

/** The index that a record line names, before anything of it is believed. */
function indexOf(line: string): number | null {
  const digits = /\\"index\\":(\d{1,10}),/.exec(line)?.[1];
  return digits === undefined ? null : Number(digits);
}

async function byFirstIndex(folder: string, names: readonly string[]): Promise<{ name: string; first: number }[]> {
  const found: { name: string; first: number }[] = [];
  for (const name of names) {
    let first = Number.MAX_SAFE_INTEGER;
    try {
      for await (const line of linesIn(folder, name)) {
        first = indexOf(line ?? "") ?? first;
        break;
      }
    } catch {
      // Reading it in earnest will say what is wrong with it.
    }
    found.push({ name, first });
  }
  return found.sort((a, b) => a.first - b.first);
}

function linesIn(folder: string, name: string): AsyncGenerator<string | null> {
  return linesOf(openSource({ path: join(folder, name) }).chunks, { maxBytes: RECORD_MAX_BYTES });
}
