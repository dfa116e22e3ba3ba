import { describe, expect, it } from "vitest";
import { WINDOW_MAX_TERMS } from "../../src/limits.ts";
import { timeTerms, token } from "../../src/store/terms.ts";
import { entryOf, freshLog, project, projectSealed, type TestEntry } from "./cells.ts";
import { indexes, list } from "./lists.ts";

const at = (text: string) => Date.parse(`2026-11-21T${text}Z`);
const MINUTE_MS = 60_000;
const FIRST = at("08:00:00");

/** A log with an entry at each half minute of six hours, 8:00 to 14:00. */
async function busyLog() {
  const log = await freshLog();
  const events = Array.from({ length: 720 }, (_, n) => ({
    action: "door.open",
    occurred_at: new Date(FIRST + n * 30_000).toISOString(),
  }));
  return { log, events };
}

/** The row as it was indexed before minutes were. */
function indexedEarlier(key: Parameters<typeof token>[0], entry: TestEntry, instant: number): TestEntry {
  const text = new Date(instant).toISOString();
  const [hour, ...finer] = (["hour", "ten_minutes", "minute"] as const).map((kind, n) =>
    token(key, kind, text.slice(0, [13, 15, 16][n])),
  );
  const terms = entry.terms.split(" ").flatMap((term) => {
    if (term === hour) return [token(key, "coarse_hour", text.slice(0, 13))];
    return finer.includes(term) ? [] : [term];
  });
  return { ...entry, terms: terms.join(" ") };
}

describe("a window of time in a busy log", () => {
  it("proposes the entries of its minutes alone", async () => {
    const { log, events } = await busyLog();
    await project(log, events);
    for (const [from, to] of [
      ["09:07:00", "09:08:59"],
      ["09:58:30", "12:03:00"],
      ["08:00:00", "13:59:59"],
    ] as const) {
      const filter = { from: at(from), to: at(to) };
      const { rows } = await list(log, { filter });
      const low = Math.floor((filter.from - FIRST) / MINUTE_MS) * 2;
      const high = Math.floor((filter.to - FIRST) / MINUTE_MS) * 2 + 2;
      expect(indexes(rows)).toEqual(Array.from({ length: high - low }, (_, n) => high - 1 - n));
    }
  });

  it("misses no row that was indexed before minutes were", async () => {
    const { log, events } = await busyLog();
    const entries = events.map((event, n) => {
      const entry = entryOf(log.termKey, n, event, log.log);
      return n % 3 === 0 ? indexedEarlier(log.termKey, entry, FIRST + n * 30_000) : entry;
    });
    await projectSealed(log, entries);
    const inHours = (n: number, from: number, to: number) => {
      const hour = Math.floor((FIRST + n * 30_000) / (60 * MINUTE_MS));
      return hour >= Math.floor(from / (60 * MINUTE_MS)) && hour <= Math.floor(to / (60 * MINUTE_MS));
    };
    for (const [from, to] of [
      ["09:07:00", "09:08:59"],
      ["09:58:30", "12:03:00"],
      ["08:00:00", "13:59:59"],
    ] as const) {
      const filter = { from: at(from), to: at(to) };
      const within = (n: number) => {
        const minute = Math.floor((FIRST + n * 30_000) / MINUTE_MS);
        return minute >= Math.floor(filter.from / MINUTE_MS) && minute <= Math.floor(filter.to / MINUTE_MS);
      };
      const expected = events
        .map((_, n) => n)
        .filter((n) => (n % 3 === 0 ? inHours(n, filter.from, filter.to) : within(n)));
      const { rows } = await list(log, { filter });
      expect(indexes(rows)).toEqual(expected.toReversed());
    }
  });

  it("may be as wide as can be asked for", async () => {
    const { log, events } = await busyLog();
    await project(log, events.slice(0, 10));
    const filter = { from: Date.parse("1971-01-01T00:01:00Z"), to: Date.parse("2098-12-31T23:58:30Z") };
    expect(timeTerms(log.termKey, filter).length).toBeGreaterThan(WINDOW_MAX_TERMS - 10);
    expect((await list(log, { filter })).rows).toHaveLength(10);
  });
});
