import { putTreeObject, readTreeObject } from "./tree.ts";

/** `tree/<log>/absences/<sha256>`: beside the leaves, under the log of the cause. */
function listPath(sha256: string): string {
  return `absences/${sha256}`;
}

/** Stores the list a cause will commit to, once; when it returns, R2 holds exactly this text under its hash. */
export function putAbsenceList(
  bucket: R2Bucket,
  { log, sha256, text }: { log: string; sha256: string; text: string },
): Promise<void> {
  return putTreeObject(bucket, { log, path: listPath(sha256), bytes: new TextEncoder().encode(text) });
}

/** The text of a list, whatever it is; null when R2 does not have it. */
export async function readAbsenceList(
  bucket: R2Bucket,
  { log, sha256 }: { log: string; sha256: string },
): Promise<string | null> {
  const bytes = await readTreeObject(bucket, { log, path: listPath(sha256) });
  return bytes === null ? null : new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);
}
