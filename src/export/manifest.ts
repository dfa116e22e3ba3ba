import { putExportFile, type StoredPart } from "../archive/export.ts";
import { type ExportManifest, exportManifestText } from "../chain/export-manifest.ts";
import { signNote } from "../chain/note/sign-note.ts";
import type { Config } from "../env.ts";
import { assert } from "../errors.ts";
import { logSigner } from "../log-signer.ts";
import type { ExportRequest } from "../schema/export.ts";
import { sha256 } from "../sha256.ts";
import { missingByOrigin } from "./missing.ts";
import type { ExportProgress } from "./progress.ts";

export const MANIFEST_NAME = "manifest.json";

/**
 * Signs what an export holds with the key of the org's newest log, as a C2SP signed-note of two lines: what it is, and a
 * JSON text. Made again it is the same, byte for byte.
 */
export async function putManifest(
  config: Config,
  { org, id }: { org: string; id: string },
  { request, progress }: { request: ExportRequest; progress: ExportProgress },
): Promise<StoredPart> {
  const newest = progress.logs.at(-1);
  assert(newest !== undefined, "an org has a log");
  const text = exportManifestText(manifestOf({ org, id }, { request, progress }));
  const note = signNote(sha256, { text, name: newest.log, signers: [logSigner(config, newest.log)] });
  const bytes = new TextEncoder().encode(note);
  return putExportFile(config.archive, { org, id }, { name: MANIFEST_NAME, bytes, type: "text/plain; charset=utf-8" });
}

function manifestOf(
  { org, id }: { org: string; id: string },
  { request, progress }: { request: ExportRequest; progress: ExportProgress },
): ExportManifest {
  const { format, filter, from, to, sections, reason } = request;
  return {
    id,
    org,
    format,
    filter,
    from,
    to,
    sections,
    reason,
    created_at: new Date(progress.began_at).toISOString(),
    logs: progress.logs.map(({ log, size, checkpoint, first, last, rows }) => {
      return { log, size, checkpoint, first, last, rows };
    }),
    rows: progress.rows,
    missing: missingByOrigin(progress.missing, progress.logs),
    parts: progress.parts,
    complete: isComplete(request, progress),
  };
}

/** Whether every entry with every section is in it, as far as it is still there. */
export function isComplete(
  { query, sections, personal, format }: ExportRequest,
  { quarantines, logs, missing }: Pick<ExportProgress, "quarantines" | "logs" | "missing">,
): boolean {
  if (missing.entries > 0 || quarantines.length > 0 || logs.some(({ checkpoint }) => checkpoint === null)) return false;
  return format === "ndjson" && query === "" && sections === null && personal;
}
