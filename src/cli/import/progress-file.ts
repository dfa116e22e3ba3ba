import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import type { Connection } from "../options.ts";
import type { InputFile } from "./input-file.ts";

/**
 * How far an import of one file into one log has come. `probe` is the last event that was taken, with its entry hash:
 * sent again, it shows whether the log is still the one this file speaks of.
 */
const progressSchema = z.object({
  v: z.literal(1),
  run: z.string(),
  file: z.string(),
  finished: z.boolean(),
  done: z.object({ records: z.int(), appended: z.int(), duplicates: z.int(), rejected: z.int() }),
  probe: z.object({ event: z.string(), entry_hash: z.string() }).nullable(),
});

export type ProgressFile = z.infer<typeof progressSchema>;

/** Names the progress file: another service, org, mapping, path or a file that has changed is another import. */
export function progressPath(
  state: string,
  file: InputFile,
  into: { connection: Connection; mapping: string },
): string {
  const { url, org } = into.connection;
  const name = JSON.stringify([url, org, into.mapping, file.path, file.size, file.modifiedMs]);
  return join(state, `import-${createHash("sha256").update(name).digest("base64url").slice(0, 22)}.json`);
}

/** The progress of an earlier run, or null: one that cannot be read is none, since ids keep a second import harmless. */
export async function readProgress(path: string): Promise<ProgressFile | null> {
  try {
    return progressSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return null;
  }
}

/** Written beside and renamed: a crash leaves the old one or the new one, whole. */
export async function writeProgress(path: string, progress: ProgressFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, `${JSON.stringify(progress)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export async function forgetProgress(path: string): Promise<void> {
  await rm(path, { force: true });
}

export function newRun(): string {
  return randomBytes(12).toString("base64url");
}
