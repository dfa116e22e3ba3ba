/** From here on a count of seconds would lie after the year 5138: it is milliseconds. */
const MILLISECONDS_FROM = 1e11;
/** From here on a count of milliseconds would lie after the year 5138: it is something finer. */
const FINER_FROM = 1e14;
const FRACTION_MAX_DIGITS = 9;

/** Epoch seconds or milliseconds, told by their size, as RFC 3339 in UTC; a fraction of seconds keeps its digits. */
export function epochTime(text: string): { ok: true; text: string } | { ok: false; reason: string } {
  const plain = /e/i.test(text) ? String(Number(text)) : text;
  const match = /^(\d{1,20})(?:\.(\d+))?$/.exec(plain);
  if (match === null) return { ok: false, reason: `${JSON.stringify(text)} is not a count of seconds or milliseconds` };
  const count = Number(match[1]);
  if (count >= FINER_FROM) {
    return { ok: false, reason: `${text} is finer than milliseconds since 1970: convert it first` };
  }
  if (count >= MILLISECONDS_FROM) return { ok: true, text: new Date(count).toISOString() };
  const fraction = match[2]?.slice(0, FRACTION_MAX_DIGITS);
  const seconds = new Date(count * 1000).toISOString().slice(0, 19);
  return { ok: true, text: `${seconds}${fraction === undefined ? "" : `.${fraction}`}Z` };
}
