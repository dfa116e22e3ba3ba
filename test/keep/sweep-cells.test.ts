import { describe, expect, it } from "vitest";
import { coolRequest } from "../../src/keep/sweep-cells.ts";
import { HOT_DAYS, HOT_DAYS_MAX } from "../../src/limits.ts";
import { beginOf, monthOf, slotOf } from "../../src/store/slot.ts";

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2026, 10, 22);
const DAYS = Array.from({ length: 5 * 365 }, (_, n) => FIRST_DAY + n * DAY_MS);

describe.each([1, HOT_DAYS, HOT_DAYS_MAX])("what is cold after %i days", (hotDays) => {
  it("is whole months, each entry of which is that old", () => {
    for (const now of DAYS) {
      const { until } = coolRequest(now, hotDays);
      expect(until).toBe(beginOf(monthOf(until)));
      expect(until).toBeLessThanOrEqual(now - hotDays * DAY_MS);
      // And no month waits longer than that.
      expect(beginOf(monthOf(until) + 1)).toBeGreaterThan(now - hotDays * DAY_MS);
    }
  });

  it("lies in slots that hold no other month, nor the next one of a clock that is ahead", () => {
    for (const now of DAYS) {
      const { until, slots } = coolRequest(now, hotDays);
      for (let month = monthOf(until); month <= monthOf(now) + 1; month++) expect(slots).not.toContain(slotOf(month));
    }
  });

  it("leaves its slot before the month that needs it next", () => {
    const left = new Map<number, number>();
    for (const now of DAYS) {
      const { until, slots } = coolRequest(now, hotDays);
      for (let month = monthOf(until) - 1; month > monthOf(until) - 16; month--) {
        if (slots.includes(slotOf(month)) && !left.has(month)) left.set(month, now);
      }
    }
    for (let month = monthOf(FIRST_DAY); month < monthOf(FIRST_DAY) + 30; month++) {
      expect(left.get(month), `month ${month}`).toBeLessThan(beginOf(month + 16));
    }
  });
});
