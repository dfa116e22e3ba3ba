import { type TermKey, type TokenKind, token } from "./token.ts";

const HOUR_MS = 3_600_000;
/** Times outside these years are indexed and searched as the nearest time inside. */
const FIRST_MS = Date.UTC(1970, 0, 1);
const LAST_MS = Date.UTC(2100, 0, 1) - 1;

/** The decade, year, month, day and hour (UTC) of an instant, as tokens. */
export function instantTerms(key: TermKey, instant: number): readonly string[] {
  const hour = Math.floor(clamp(instant) / HOUR_MS);
  // Entries come in order of time: most share the hour of the one before.
  if (key.hour?.number !== hour) {
    const text = new Date(hour * HOUR_MS).toISOString();
    key.hour = {
      number: hour,
      terms: SPANS.map(({ kind, characters }) => token(key, kind, text.slice(0, characters))),
    };
  }
  return key.hour.terms;
}

/**
 * The fewest decades, years, months, days and hours that hold every instant from `from` to `to`, both included; an open end reaches
 * to the first or last year. It holds instants of the first and last hour that are outside: who asks checks again.
 */
export function timeTerms(
  key: TermKey,
  { from, to }: { from?: number | undefined; to?: number | undefined },
): string[] {
  const last = clamp(to ?? LAST_MS);
  const terms: string[] = [];
  let at = Math.floor(clamp(from ?? FIRST_MS) / HOUR_MS) * HOUR_MS;
  while (at <= last) {
    for (const { kind, characters, begins, next } of SPANS) {
      const end = next(at);
      if (!begins(at) || end > Math.floor(last / HOUR_MS) * HOUR_MS + HOUR_MS) continue;
      terms.push(token(key, kind, new Date(at).toISOString().slice(0, characters)));
      at = end;
      break;
    }
  }
  return terms;
}

type Span = { kind: TokenKind; characters: number; begins: (at: number) => boolean; next: (at: number) => number };

/** Largest first; `characters` cut ISO 8601 text to the span's name. */
const SPANS: readonly Span[] = [
  {
    // Without it "since last week" would look up each year until 2100.
    kind: "decade",
    characters: 3,
    begins: (at) => /^\d{3}0-01-01T00:00:00/.test(new Date(at).toISOString()),
    next: (at) => Date.UTC(new Date(at).getUTCFullYear() + 10, 0, 1),
  },
  {
    kind: "year",
    characters: 4,
    begins: (at) => new Date(at).toISOString().endsWith("-01-01T00:00:00.000Z"),
    next: (at) => Date.UTC(new Date(at).getUTCFullYear() + 1, 0, 1),
  },
  {
    kind: "month",
    characters: 7,
    begins: (at) => new Date(at).toISOString().endsWith("-01T00:00:00.000Z"),
    next: (at) => Date.UTC(new Date(at).getUTCFullYear(), new Date(at).getUTCMonth() + 1, 1),
  },
  { kind: "day", characters: 10, begins: (at) => at % (24 * HOUR_MS) === 0, next: (at) => at + 24 * HOUR_MS },
  { kind: "hour", characters: 13, begins: () => true, next: (at) => at + HOUR_MS },
];

function clamp(instant: number): number {
  return Math.min(Math.max(instant, FIRST_MS), LAST_MS);
}
