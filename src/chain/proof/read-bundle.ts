const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The leaves of an entry bundle (C2SP tlog-tiles, "Log entries"): `width` of them, null for one that is not UTF-8 and
 * so no leaf of ours. Null when the bytes are not exactly so many entries.
 */
export function readBundle(bytes: Uint8Array, width: number): (string | null)[] | null {
  const leaves: (string | null)[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 2 > bytes.length) return null;
    const start = at + 2;
    at = start + (((bytes[at] as number) << 8) | (bytes[at + 1] as number));
    if (at > bytes.length) return null;
    leaves.push(textOf(bytes.subarray(start, at)));
  }
  return leaves.length === width ? leaves : null;
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
