const DIGITS = 10;

/** A count of entries in the name of an object: ten digits hold every one, so that R2 lists names in order. */
export function padded(entries: number): string {
  return String(entries).padStart(DIGITS, "0");
}
