import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { failed, type Outcome } from "../outcome.ts";

/** How far an import has come with one file: records settled in order, and what became of them. */
export type Done = { records: number; appended: number; duplicates: number; rejected: number };

export type InputFile = {
  /** As given on the command line. */
  name: string;
  path: string;
  stream: Readable | null;
  /** Bytes of the file as it lies on disk; 0 for a stream. */
  size: number;
  modifiedMs: number;
  bytesRead: number;
  recordsRead: number;
  rejectsPath: string;
  /** What was done before this run. */
  before: Done;
  done: Done;
  /** True when every record was settled, in this run or an earlier one. */
  finished: boolean;
  /** Why it could not be read to its end, or null. */
  fault: string | null;
};

type Options = { directory: string; stdin: Readable; rejects: string | undefined };

/** Looks at every input before anything is sent: a wrong name must not stop an import half way. */
export async function inputFiles(names: string[], options: Options): Promise<Outcome<InputFile[]>> {
  const files: InputFile[] = [];
  for (const name of new Set(names)) {
    const file = await inputFile(name, options);
    if (!file.ok) return file;
    files.push(file.value);
  }
  const overwritten = files.find((file) => files.some((other) => other.path === file.rejectsPath));
  if (overwritten !== undefined) {
    return failed(
      `the rejects would overwrite the input ${overwritten.rejectsPath}`,
      "name another file with --rejects",
    );
  }
  const alien = files.find(({ rejectsPath }) => !mayBeRejects(rejectsPath));
  if (alien === undefined) return { ok: true, value: files };
  return failed(`${alien.rejectsPath} is there and holds no rejects`, "name another file with --rejects");
}

/** Whether a file may be begun anew: it is not there, empty, or holds what an import wrote. */
function mayBeRejects(path: string): boolean {
  if (!existsSync(path)) return true;
  const file = openSync(path, "r");
  const beginning = Buffer.alloc(REJECTS_BEGIN.length);
  const bytes = readSync(file, beginning);
  closeSync(file);
  return bytes === 0 || beginning.toString() === REJECTS_BEGIN;
}

const REJECTS_BEGIN = '{"file":';

async function inputFile(name: string, { directory, stdin, rejects }: Options): Promise<Outcome<InputFile>> {
  const fresh = { bytesRead: 0, recordsRead: 0, finished: false, fault: null };
  const done: Done = { records: 0, appended: 0, duplicates: 0, rejected: 0 };
  const before = { ...done };
  const rejectsName = rejects ?? `${name === "-" ? "stdin" : basename(name)}.rejects.ndjson`;
  const rejectsPath = resolve(directory, rejectsName);
  if (name === "-") {
    return {
      ok: true,
      value: { ...fresh, name, path: "-", stream: stdin, size: 0, modifiedMs: 0, rejectsPath, before, done },
    };
  }
  const path = resolve(directory, name);
  try {
    const found = await stat(path);
    if (found.isDirectory()) return failed(`${name} is a directory`, `name its files: ${join(name, "*")}`);
    const { size, mtimeMs } = found;
    return {
      ok: true,
      value: { ...fresh, name, path, stream: null, size, modifiedMs: mtimeMs, rejectsPath, before, done },
    };
  } catch {
    return failed(`the file ${name} cannot be read`, "check its name and your rights to it");
  }
}
