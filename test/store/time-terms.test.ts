import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WINDOW_MAX_TERMS } from "../../src/limits.ts";
import { termKeyOf, timeTerms, token } from "../../src/store/terms.ts";
import { instantTerms } from "../../src/store/time-terms.ts";

const KEY = termKeyOf("index key", "acme");
const at = (text: string) => Date.parse(text);
const covers = (range: { from?: number; to?: number }, instant: number) => {
  const terms = new Set(timeTerms(KEY, range));
  return instantTerms(KEY, instant).some((term) => terms.has(term));
};

describe("timeTerms", () => {
  it.each([
    [
      "2026-11-21T18:05:00Z",
      "2026-11-21T18:06:00Z",
      [
        ["minute", "2026-11-21T18:05"],
        ["minute", "2026-11-21T18:06"],
        ["coarse_hour", "2026-11-21T18"],
      ],
    ],
    ["2026-11-21T00:00:00Z", "2026-11-21T23:59:59.999Z", [["day", "2026-11-21"]]],
    ["2024-02-01T00:00:00Z", "2024-02-29T23:59:00Z", [["month", "2024-02"]]],
    ["2025-01-01T00:00:00Z", "2025-12-31T23:59:00Z", [["year", "2025"]]],
    [
      "2019-12-31T00:00:00Z",
      "2029-12-31T23:59:00Z",
      [
        ["day", "2019-12-31"],
        ["decade", "202"],
      ],
    ],
    [
      "2025-12-30T22:48:30Z",
      "2027-02-01T01:11:00Z",
      [
        ["minute", "2025-12-30T22:48"],
        ["minute", "2025-12-30T22:49"],
        ["ten_minutes", "2025-12-30T22:5"],
        ["hour", "2025-12-30T23"],
        ["day", "2025-12-31"],
        ["year", "2026"],
        ["month", "2027-01"],
        ["hour", "2027-02-01T00"],
        ["ten_minutes", "2027-02-01T01:0"],
        ["minute", "2027-02-01T01:10"],
        ["minute", "2027-02-01T01:11"],
        ["coarse_hour", "2025-12-30T22"],
        ["coarse_hour", "2025-12-30T23"],
        ["coarse_hour", "2027-02-01T00"],
        ["coarse_hour", "2027-02-01T01"],
      ],
    ],
  ] as const)("covers %s to %s by the fewest spans, and hours of rows that have nothing finer", (from, to, spans) => {
    expect(timeTerms(KEY, { from: at(from), to: at(to) })).toEqual(spans.map(([kind, text]) => token(KEY, kind, text)));
  });

  it("covers every instant of a range", () => {
    const instant = fc.integer({ min: at("1901-01-01T00:00:00Z"), max: at("2160-01-01T00:00:00Z") });
    fc.assert(
      fc.property(instant, instant, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, share) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        for (const inside of [from, to, Math.floor(from + (to - from) * share)]) {
          expect(covers({ from, to }, inside)).toBe(true);
          expect(covers({ from }, inside)).toBe(true);
          expect(covers({ to }, inside)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("covers nothing a minute or more outside", () => {
    const instant = fc.integer({ min: at("1980-01-01T00:00:00Z"), max: at("2090-01-01T00:00:00Z") });
    fc.assert(
      fc.property(instant, fc.nat(10 ** 11), fc.nat(10 ** 11), (from, length, beyond) => {
        const range = { from, to: from + length };
        expect(covers(range, range.to + 60_000 + beyond)).toBe(false);
        expect(covers(range, range.from - 60_000 - beyond)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it("takes as many terms as its limit says at worst, under 150 without an end, and none when it ends before it begins", () => {
    const widest = timeTerms(KEY, { from: at("1971-01-01T00:01:00Z"), to: at("2098-12-31T23:58:30Z") });
    expect(widest.length).toBeLessThanOrEqual(WINDOW_MAX_TERMS);
    expect(widest.length).toBeGreaterThan(WINDOW_MAX_TERMS - 10);
    expect(timeTerms(KEY, { from: at("2021-01-01T00:01:00Z") }).length).toBeLessThan(150);
    expect(timeTerms(KEY, { from: at("2026-01-02T00:00:00Z"), to: at("2026-01-01T00:00:00Z") })).toEqual([]);
  });
});
