import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { type Granted, projected, walkPages } from "./grants.ts";

const FIRST = Date.parse("2026-08-20T00:00:00.000Z");
const HOUR_MS = 3_600_000;
const COUNT = 1_500;

/** Three months of entries with both words, of which one in 100 has them in this order: the index proposes all. */
let granted: Granted;
beforeAll(async () => {
  const said = Array.from({ length: COUNT }, (_, n) => ({
    action: "note.add",
    reason: n % 100 === 7 ? "left right" : "right left",
    sequenced_at: new Date(FIRST + n * HOUR_MS).toISOString(),
  }));
  granted = await projected(said, { first: FIRST, last: FIRST + COUNT * HOUR_MS });
});
afterEach(restoreFaults);

const found = (order: "asc" | "desc", limit: number) =>
  walkPages(granted.log, granted.grant, new URLSearchParams({ q: '"left right"', order, limit: String(limit) }));

const PHRASED = Array.from({ length: COUNT / 100 }, (_, n) => n * 100 + 7);

describe("candidates that are rejected", () => {
  it.each(["asc", "desc"] as const)("neither hide nor double an entry, in order %s", async (order) => {
    const expected = order === "asc" ? PHRASED : PHRASED.toReversed();
    for (const limit of [1, 2, 7, 15, 1_000]) {
      const { entries } = await found(order, limit);
      expect(entries.map(({ index }) => index)).toEqual(expected);
    }
  });

  it.each(["asc", "desc"] as const)(
    "do not make a page of few entries ask again and again, in order %s",
    async (order) => {
      const asked = replaceMethod(env.CELL_0, "batch", (original, args) => original(...args));
      const { pages } = await found(order, 5);
      expect(pages).toBeGreaterThanOrEqual(3);
      expect(asked.hits).toBeLessThanOrEqual(5 * pages);
    },
  );
});
