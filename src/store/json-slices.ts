import { D1_PARAMETER_MAX_BYTES } from "../limits.ts";

/** Values as JSON lists, in order, each as long as a parameter of D1 may be. */
export function* jsonSlices(values: Iterable<unknown>): Generator<string> {
  let [texts, bytes]: [string[], number] = [[], 0];
  for (const value of values) {
    const text = JSON.stringify(value);
    const size = Buffer.byteLength(text) + 1;
    if (texts.length > 0 && bytes + size > D1_PARAMETER_MAX_BYTES) {
      yield `[${texts.join(",")}]`;
      [texts, bytes] = [[], 0];
    }
    texts.push(text);
    bytes += size;
  }
  if (texts.length > 0) yield `[${texts.join(",")}]`;
}
