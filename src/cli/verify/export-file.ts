import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ExportManifest, parseExportManifest } from "../../chain/export-manifest.ts";
import { VERIFIER_MANIFEST_MAX_BYTES } from "../../limits.ts";
import { failed, type Outcome } from "../outcome.ts";
import { printable } from "../terminal/printable.ts";

/** The file of an export, the text of its manifest, and what that says before anybody has verified it. */
export type ExportFile = { path: string; shown: string; note: string; said: ExportManifest };

const EXPORT_PATTERN = /\.(ndjson|jsonl|csv)(\.gz)?$/;
/** Said of a file that lies where a manifest may, and is none: it may be anything. */
const REMEDY = "give the one that was downloaded with it: --manifest FILE";

/** Where the manifest of an export is looked for when nobody names it. */
export function manifestPaths(path: string): string[] {
  const stem = path.replace(EXPORT_PATTERN, "");
  return [`${stem}-manifest.json`, join(dirname(path), "manifest.json")];
}

/** The export that a file is: one with a manifest. Null for a file that nothing says is one. */
export async function exportFile(
  path: string,
  { shown, manifest }: { shown: string; manifest: string | undefined },
): Promise<Outcome<ExportFile> | null> {
  if (manifest !== undefined) return withManifest(manifest, { path, shown });
  if (!EXPORT_PATTERN.test(path)) return null;
  for (const place of manifestPaths(path)) {
    if ((await stat(place).catch(() => null))?.isFile() === true) return withManifest(place, { path, shown });
  }
  return failed(`${shown} has no manifest beside it`, REMEDY);
}

async function withManifest(
  place: string,
  { path, shown }: { path: string; shown: string },
): Promise<Outcome<ExportFile>> {
  const name = printable(basename(place));
  const found = await stat(place).catch(() => null);
  if (found?.isFile() !== true) return failed(`there is no file ${name}`, REMEDY);
  if (found.size > VERIFIER_MANIFEST_MAX_BYTES) return failed(`${name} is longer than any manifest`, REMEDY);
  const note = await readFile(place, "utf8");
  const said = parseExportManifest(note);
  return said === null
    ? failed(`${name} is not the manifest of an export`, REMEDY)
    : { ok: true, value: { path, shown, note, said } };
}
