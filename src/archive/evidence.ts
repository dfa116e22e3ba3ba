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
