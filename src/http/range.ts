/** Bytes `[from, to)`. */
type Range = { from: number; to: number };

/**
 * The bytes of a file a request is for: all of them without a `Range`, with one that is none of ours, or one that was for
 * another file; null where there are none such. Of several ranges at once all is sent. Source: RFC 9110 sections 13.1.5, 14.2.
 */
export function rangeIn(
  { range, ifRange }: { range: string | undefined; ifRange: string | undefined },
  { size, etag }: { size: number; etag: string },
): Range | null {
  const all = { from: 0, to: size };
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return all;
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range);
  const [, first = "", last = ""] = match ?? [];
  if (match === null || first + last === "") return all;
  if (first === "") return Number(last) === 0 ? null : { from: Math.max(0, size - Number(last)), to: size };
  const from = Number(first);
  if (last !== "" && Number(last) < from) return all;
  return from >= size ? null : { from, to: last === "" ? size : Math.min(size, Number(last) + 1) };
}
