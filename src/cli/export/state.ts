import { readFile, rename, writeFile } from "node:fs/promises";
import * as z from "zod";

/** What a run cut short leaves behind: which export it was about, as it was asked for, and how many parts are done. */
const stateSchema = z.strictObject({
  v: z.literal(1),
  url: z.string(),
  org: z.string(),
  asked: z.string(),
  id: z.string(),
  parts: z.int().min(0),
});

export type ExportState = z.infer<typeof stateSchema>;

/** What was left behind; null when nothing was, or nothing that can be read. */
export async function readState(path: string): Promise<ExportState | null> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return null;
  }
}

export async function writeState(path: string, state: ExportState): Promise<void> {
  await putFile(path, `${JSON.stringify(state)}\n`);
}

/** Writes a file beside its place and moves it there: a crash leaves what was there before, or all of it. */
export async function putFile(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}
