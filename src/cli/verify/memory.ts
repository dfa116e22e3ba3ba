import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import type { Surroundings } from "../options.ts";
import { failed, type Outcome } from "../outcome.ts";

/** What is remembered of a log: its keys, and the newest checkpoint seen, as it was signed. */
const memorySchema = z.strictObject({
  v: z.literal(1),
  origin: z.string(),
  keys: z.array(z.string()).min(1),
  checkpoint: z.string(),
  size: z.int(),
  seen_at: z.iso.datetime(),
});

export type Remembered = z.infer<typeof memorySchema>;

/** Where memories lie: `--state`, else `indelible` in the user's state folder. Source: XDG Base Directory. */
export function stateFolder(state: string | undefined, { env, directory }: Surroundings): string {
  if (state !== undefined) return resolve(directory, state);
  const base = env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state");
  return join(base, "indelible");
}

function memoryPath(folder: string, origin: string): string {
  return join(folder, `log-${digestOf(origin)}.json`);
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

/** What is remembered of a log, null when it was never seen. A memory that cannot be read is never passed over. */
export async function recall(folder: string, origin: string): Promise<Outcome<(Remembered & { path: string }) | null>> {
  const path = memoryPath(folder, origin);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isAbsent(error)) return { ok: true, value: null };
    return failed(
      `what is remembered of this log cannot be read (${path})`,
      "make it readable, or name another --state",
    );
  }
  const parsed = memorySchema.safeParse(parse(text));
  if (!parsed.success || parsed.data.origin !== origin) {
    return failed(
      `what is remembered of this log is damaged (${path})`,
      "look at it; removing it makes this a first meeting",
    );
  }
  return { ok: true, value: { ...parsed.data, path } };
}

/** Remembers a log; never in place of a larger checkpoint another run has seen meanwhile. Answers why it could not. */
export async function remember(folder: string, memory: Omit<Remembered, "v">): Promise<string | null> {
  const known = await recall(folder, memory.origin);
  if (!known.ok) return known.failure.what;
  if (known.value !== null && known.value.size > memory.size) return null;
  const path = memoryPath(folder, memory.origin);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Written beside and renamed: a crash leaves the old one or the new one, whole.
    await writeFile(`${path}.new`, `${JSON.stringify({ v: 1, ...memory })}\n`, { mode: 0o600 });
    await rename(`${path}.new`, path);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Puts checkpoints that contradict each other into files of their own; null when that is not possible. Each is named by
 * what it holds: what a log serves later takes the place of none.
 */
export async function keepEvidence(
  folder: string,
  { origin, notes }: { origin: string; notes: readonly string[] },
): Promise<string[] | null> {
  const stem = memoryPath(folder, origin).replace(/\.json$/, "");
  const paths: string[] = [];
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const note of notes) {
      const path = `${stem}-${digestOf(note)}.checkpoint`;
      await writeFile(path, note, { mode: 0o600 });
      paths.push(path);
    }
    return paths;
  } catch {
    return null;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
