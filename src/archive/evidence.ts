import { createHash } from "node:crypto";

/** A piece of evidence that was stored: its R2 key, and the hex SHA-256 of its bytes. */
export type Evidence = { key: string; sha256: string };

const PLACE_DIGITS = 4;

/**
 * Keeps what was found where it should not have been, once, under `evidence/<log>/<time>-<n>`; when it returns, it is
 * durable. A key that is taken is never written over: that is an error, and nothing was stored.
 */
export async function putEvidence(
  bucket: R2Bucket,
  { log, at, n }: { log: string; at: string; n: number },
  found: object,
): Promise<Evidence> {
  const key = `evidence/${log}/${at}-${String(n).padStart(PLACE_DIGITS, "0")}`;
  const body = new TextEncoder().encode(JSON.stringify(found));
  const sha256 = createHash("sha256").update(body).digest("hex");
  const stored = await bucket.put(key, body, {
    onlyIf: { etagDoesNotMatch: "*" },
    sha256,
    httpMetadata: { contentType: "application/json" },
  });
  if (stored === null) throw new Error(`${key} is there already`);
  return { key, sha256 };
}

/** Pieces of evidence about a log behind the key `after`, in order, with what they hold, at most `limit`. */
export async function readEvidence(
  bucket: R2Bucket,
  { log, after, limit }: { log: string; after: string | null; limit: number },
): Promise<{ key: string; text: string }[]> {
  const prefix = `evidence/${log}/`;
  const listed = await bucket.list({ prefix, limit, ...(after === null ? {} : { startAfter: after }) });
  const found: { key: string; text: string }[] = [];
  for (const { key } of listed.objects) {
    // What continues this log lies under the same prefix.
    found.push({ key, text: (await (await bucket.get(key))?.text()) ?? "" });
  }
  return found;
}

export async function deleteEvidence(bucket: R2Bucket, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await bucket.delete([...keys]);
}
