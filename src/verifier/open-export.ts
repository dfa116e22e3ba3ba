import { placeInOrg } from "../chain/continuation.ts";
import type { VerifyEd25519 } from "../chain/ed25519.ts";
import { type ExportManifest, parseExportManifest } from "../chain/export-manifest.ts";
import type { Checkpoint } from "../chain/note/checkpoint.ts";
import type { NoteKey } from "../chain/note/note-key.ts";
import { openCheckpoint } from "../chain/note/open-checkpoint.ts";
import { openNote } from "../chain/note/open-note.ts";
import { VERIFIER_MANIFEST_MAX_BYTES, VERIFIER_PART_MAX_BYTES } from "../limits.ts";

/** A manifest that a key of the org signed, and the checkpoint of each log in it, by origin; null where it never had one. */
export type OpenedExport = { manifest: ExportManifest; checkpoints: ReadonlyMap<string, Required<Checkpoint> | null> };

type Opened =
  | { ok: true; export: OpenedExport }
  | { ok: false; kind: "malformed" | "bad_signature" | "unknown_key"; why: string };

/**
 * Opens the manifest of an export. It must be signed by one of `keys` that is of a log of the same org, and each checkpoint
 * in it by one of its own log.
 */
export async function openExport(
  verifyEd25519: VerifyEd25519,
  { manifest: note, keys }: { manifest: string; keys: readonly NoteKey[] },
): Promise<Opened> {
  const opened = await openNote(verifyEd25519, { note, keys, maxBytes: VERIFIER_MANIFEST_MAX_BYTES });
  if (!opened.ok) return opened;
  const manifest = parseExportManifest(opened.text);
  if (manifest === null) return malformed("Its text is not that of a manifest.");
  if (manifest.parts.some(({ bytes }) => bytes > VERIFIER_PART_MAX_BYTES)) {
    return malformed(`It names a part of more than ${VERIFIER_PART_MAX_BYTES} bytes.`);
  }
  const [log] = manifest.logs;
  const org = log === undefined ? null : placeInOrg(log.log).first;
  if (!opened.signed.some(({ key }) => key.type === "ed25519" && placeInOrg(key.name).first === org)) {
    return { ok: false, kind: "unknown_key", why: "None of the keys given that are the org's has signed it." };
  }
  const checkpoints = new Map<string, Required<Checkpoint> | null>();
  for (const { log: origin, size, checkpoint } of manifest.logs) {
    if (checkpoint === null) {
      checkpoints.set(origin, null);
      continue;
    }
    const read = await openCheckpoint(verifyEd25519, { note: checkpoint, origin, keys });
    if (!read.ok) {
      const kind = read.kind === "other_log" ? "malformed" : read.kind;
      return { ok: false, kind, why: `The checkpoint of ${origin}: ${read.why}` };
    }
    if (read.checkpoint.size !== size) return malformed(`The checkpoint of ${origin} is of another size than it says.`);
    checkpoints.set(origin, read.checkpoint);
  }
  return { ok: true, export: { manifest, checkpoints } };
}

function malformed(why: string): Opened {
  return { ok: false, kind: "malformed", why };
}
