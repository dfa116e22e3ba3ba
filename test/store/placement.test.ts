import { describe, expect, it } from "vitest";
import { CELL_MAX_ORG_NUMBERS, LOG_MAX_ENTRIES } from "../../src/limits.ts";
import { indexOf, keyOf, rangeOf } from "../../src/store/placement.ts";
import { monthOf, SLOTS, slotOf, slotsDescending } from "../../src/store/slot.ts";

const LAST_ORG = CELL_MAX_ORG_NUMBERS - 1;
const LAST_INDEX = LOG_MAX_ENTRIES - 1;

describe("keys", () => {
  it("are exact up to the last index of the last org", () => {
    expect(keyOf(LAST_ORG, LAST_INDEX)).toBe(Number.MAX_SAFE_INTEGER);
    expect(indexOf(LAST_ORG, keyOf(LAST_ORG, LAST_INDEX))).toBe(LAST_INDEX);
  });

  it.each([0, 1, 2, 77, LAST_ORG - 1])("of org number %i end where the next one's begin", (orgNumber) => {
    expect(keyOf(orgNumber, LAST_INDEX) + 1).toBe(keyOf(orgNumber + 1, 0));
    expect(rangeOf(orgNumber, 0, LOG_MAX_ENTRIES).high).toBe(rangeOf(orgNumber + 1, 0, LOG_MAX_ENTRIES).low);
  });

  it.each([
    [-1, 0],
    [CELL_MAX_ORG_NUMBERS, 0],
    [1.5, 0],
    [Number.NaN, 0],
    [1, -1],
    [1, LOG_MAX_ENTRIES],
    [1, 0.5],
    [1, Number.NaN],
  ])("refuse org number %d with index %d", (orgNumber, index) => {
    expect(() => keyOf(orgNumber, index)).toThrow("invariant broken");
  });

  it("refuse a range that reaches out of the org", () => {
    expect(() => rangeOf(1, 0, LOG_MAX_ENTRIES + 1)).toThrow("invariant broken");
    expect(() => rangeOf(1, -1, 5)).toThrow("invariant broken");
    expect(() => rangeOf(CELL_MAX_ORG_NUMBERS, 0, 5)).toThrow("invariant broken");
    expect(() => indexOf(2, keyOf(1, LAST_INDEX))).toThrow("invariant broken");
    expect(() => indexOf(2, keyOf(3, 0))).toThrow("invariant broken");
  });

  it("make an empty range of one that ends before it begins", () => {
    const { low, high } = rangeOf(4, 10, 5);
    expect(high - low).toBe(0);
  });
});

describe("slots", () => {
  it("give sixteen months in a row a slot each, and the next the first one again", () => {
    const month = monthOf("2026-11-21T18:00:00.000Z");
    expect(month).toBe(2026 * 12 + 10);
    expect(new Set(Array.from({ length: 16 }, (_, n) => slotOf(month + n))).size).toBe(16);
    expect(slotOf(month + 16)).toBe(slotOf(month));
    expect([...SLOTS].sort()).toEqual(SLOTS);
  });

  it("take the month in UTC", () => {
    expect(monthOf("2026-11-30T23:59:59.999Z") + 1).toBe(monthOf("2026-12-01T00:00:00.000Z"));
    expect(monthOf(Date.UTC(2026, 11, 31, 23))).toBe(monthOf("2026-12-01T00:00:00.000Z"));
    expect(() => monthOf("no time")).toThrow("invariant broken");
  });

  it("are visited from the newest month, each once", () => {
    const month = monthOf("2026-02-01T00:00:00.000Z");
    expect(slotsDescending({ fromMonth: month - 2, toMonth: month })).toEqual(
      [month, month - 1, month - 2].map(slotOf),
    );
    expect(new Set(slotsDescending({ fromMonth: 0, toMonth: month })).size).toBe(16);
    expect(slotsDescending({ fromMonth: 0, toMonth: month })).toHaveLength(16);
    expect(slotsDescending({ fromMonth: month, toMonth: month - 1 })).toEqual([]);
  });
});
