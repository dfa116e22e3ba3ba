const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The entries of an entry bundle (C2SP tlog-tiles, "Log entries") as the bytes that are hashed: `width` of them, views
 * of `bytes`. Null when the bytes are not exactly so many entries.
 */
export function splitBundle(bytes: Uint8Array, width: number): Uint8Array[] | null {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 2 > bytes.length) return null;
    const start = at + 2;
    at = start + (((bytes[at] as number) << 8) | (bytes[at + 1] as number));
    if (at > bytes.length) return null;
    entries.push(bytes.subarray(start, at));
  }
  return entries.length === width ? entries : null;
}

/** The leaves of an entry bundle: null for one that is not UTF-8 and so no leaf of ours. */
export function readBundle(bytes: Uint8Array, width: number): (string | null)[] | null {
  return splitBundle(bytes, width)?.map(leafTextOf) ?? null;
}

/** The text of an entry; null when it is not UTF-8. */
export function leafTextOf(entry: Uint8Array): string | null {
  try {
    return decoder.decode(entry);
  } catch {
    return null;
  }
}
