import { assert } from "../errors.ts";
import { WINDOW_MAX_TERMS } from "../limits.ts";
import { type TermKey, type TokenKind, token } from "./token.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const HOUR_CHARACTERS = 13;
/** Times outside these years are indexed and searched as the nearest time inside. */
const FIRST_MS = Date.UTC(1970, 0, 1);
const LAST_MS = Date.UTC(2100, 0, 1) - 1;

/** The decade, year, month, day, hour, ten minutes and minute (UTC) of an instant, as tokens. */
export function instantTerms(key: TermKey, instant: number): readonly string[] {
  const minute = Math.floor(clamp(instant) / MINUTE_MS);
  // Entries come in order of time: many share the minute of the one before.
  if (key.minute?.number !== minute) {
    const text = new Date(minute * MINUTE_MS).toISOString();
    key.minute = {
      number: minute,
      terms: SPANS.map(({ kind, characters }) => token(key, kind, text.slice(0, characters))),
    };
  }
  return key.minute.terms;
}

/**
 * The fewest spans, from decades to minutes, that hold every instant from `from` to `to`, both included; an open end reaches
 * to the first or last year. They hold instants of the first and last minute that are outside, and of rows indexed before
 * minutes were (which have no finer token than `coarse_hour`) whole hours: who asks checks again.
 */
export function timeTerms(
  key: TermKey,
  { from, to }: { from?: number | undefined; to?: number | undefined },
): string[] {
  const last = clamp(to ?? LAST_MS);
  const past = Math.floor(last / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const terms: string[] = [];
  const hours = new Set<string>();
  let at = Math.floor(clamp(from ?? FIRST_MS) / MINUTE_MS) * MINUTE_MS;
  while (at <= last) {
    for (const { kind, characters, begins, next } of SPANS) {
      const end = next(at);
      if (!begins(at) || end > past) continue;
      const text = new Date(at).toISOString();
      terms.push(token(key, kind, text.slice(0, characters)));
      if (characters >= HOUR_CHARACTERS) hours.add(text.slice(0, HOUR_CHARACTERS));
      at = end;
      break;
    }
  }
  terms.push(...[...hours].map((hour) => token(key, "coarse_hour", hour)));
  assert(terms.length <= WINDOW_MAX_TERMS, "a window has a few spans at each end");
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
  { kind: "hour", characters: HOUR_CHARACTERS, begins: (at) => at % HOUR_MS === 0, next: (at) => at + HOUR_MS },
  {
    kind: "ten_minutes",
    characters: 15,
    begins: (at) => at % (10 * MINUTE_MS) === 0,
    next: (at) => at + 10 * MINUTE_MS,
  },
  { kind: "minute", characters: 16, begins: () => true, next: (at) => at + MINUTE_MS },
];

function clamp(instant: number): number {
  return Math.min(Math.max(instant, FIRST_MS), LAST_MS);
}
