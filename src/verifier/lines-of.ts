const LINE_END = 0x0a;

/** Lines of UTF-8 without their line ends; null for one that is none, or is longer than `maxBytes`. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes }: { maxBytes: number },
): AsyncGenerator<string | null> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (): string | null => {
    const whole = length <= maxBytes;
    const bytes = whole ? new Uint8Array(length) : new Uint8Array(0);
    let at = 0;
    for (const part of whole ? parts : []) {
      bytes.set(part, at);
      at += part.length;
    }
    parts = [];
    length = 0;
    try {
      return whole ? decoder.decode(bytes) : null;
    } catch {
      return null;
    }
  };
  const keep = (part: Uint8Array) => {
    length += part.length;
    // Past the limit nothing more is held: the line is refused at its end.
    if (length <= maxBytes) parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      keep(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  if (length > 0) yield take();
}
