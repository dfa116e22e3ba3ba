/** The R2 key of a message that could not be sequenced, kept as it came. */
function deadLetterName(id: string): string {
  return `dead/${id}`;
}

/** Stores a message body once; when it returns, the body is durable. */
export async function putDeadLetterBody(bucket: R2Bucket, id: string, body: string): Promise<void> {
  await bucket.put(deadLetterName(id), body, {
    onlyIf: { etagDoesNotMatch: "*" },
    httpMetadata: { contentType: "application/json" },
  });
}

export async function readDeadLetterBody(bucket: R2Bucket, id: string): Promise<string | null> {
  const object = await bucket.get(deadLetterName(id));
  return object === null ? null : object.text();
}

/** Puts another body in place of the one there is; null: none. */
export async function replaceDeadLetterBody(bucket: R2Bucket, id: string, body: string | null): Promise<void> {
  const name = deadLetterName(id);
  if (body === null) await bucket.delete(name);
  else await bucket.put(name, body, { httpMetadata: { contentType: "application/json" } });
}
