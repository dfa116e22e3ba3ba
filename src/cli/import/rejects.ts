import { createReadStream, existsSync } from "node:fs";
import { appendFile, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import * as z from "zod";
import type { Item } from "./batches.ts";
import type { InputFile } from "./input-file.ts";
import type { Refused } from "./mapping.ts";

/** A record that is far too long is shown by its beginning. */
const SHOWN_CHARACTERS = 1_000_000;

const lineSchema = z.object({ file: z.string(), number: z.number() });

/** The files that take what could not be imported, one JSON line a record, in the order of the records. */
export class RejectFiles {
  /** The highest record of each file that is in its rejects already, from a run that was cut short. */
  readonly #written = new Map<InputFile, number>();

  /** Begins anew for files that are read from their start, and looks what is there for the others. */
  static async open(files: readonly InputFile[]): Promise<RejectFiles> {
    const rejects = new RejectFiles();
    const kept = new Set(files.filter((file) => file.done.records > 0).map((file) => file.rejectsPath));
    for (const file of files) {
      if (kept.has(file.rejectsPath)) rejects.#written.set(file, await lastRecord(file));
      else await rm(file.rejectsPath, { force: true });
    }
    return rejects;
  }

  async write(refused: readonly { item: Item; refusal: Refused }[]): Promise<void> {
    const lines = new Map<string, string>();
    for (const { item, refusal } of refused) {
      if (item.record.number <= (this.#written.get(item.file) ?? 0)) continue;
      const path = item.file.rejectsPath;
      lines.set(path, `${lines.get(path) ?? ""}${rejectLine(item, refusal)}\n`);
    }
    for (const [path, text] of lines) await appendFile(path, text);
  }
}

function rejectLine(item: Item, refusal: Refused): string {
  const text = item.text.trimEnd();
  const cut = text.length > SHOWN_CHARACTERS;
  return JSON.stringify({
    file: item.file.name,
    number: item.record.number,
    line: item.record.line,
    offset: item.record.offset,
    reason: refusal.reason + (cut ? ` (only the first ${SHOWN_CHARACTERS} characters are shown here)` : ""),
    pointer: refusal.pointer,
    record: cut ? text.slice(0, SHOWN_CHARACTERS) : text,
  });
}

async function lastRecord(file: InputFile): Promise<number> {
  if (!existsSync(file.rejectsPath)) return 0;
  let last = 0;
  let whole = true;
  for await (const line of createInterface({ input: createReadStream(file.rejectsPath), crlfDelay: Infinity })) {
    const record = recordOf(line);
    whole = record !== null;
    if (record !== null && record.file === file.name) last = Math.max(last, record.number);
  }
  // A line cut short by a crash is closed, so that the next one stands alone.
  if (!whole) await appendFile(file.rejectsPath, "\n");
  return last;
}

function recordOf(line: string): z.infer<typeof lineSchema> | null {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
