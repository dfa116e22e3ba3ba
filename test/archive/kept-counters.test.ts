import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type KeptPart, listKeptDays, putKeptCounters, readKeptCounters } from "../../src/archive/kept-counters.ts";
import { freshOrg } from "../support/client.ts";

const part = (count: number): KeptPart => ({
  at: 7,
  counters: [["general", "a.b", "x\ny", "success", count]],
  seen: [["a.b", 1]],
});

describe("the counters of a day", () => {
  it("are put once, and read as they were", async () => {
    const log = `log.test/${freshOrg()}`;
    const at = { log, day: "2026-01-01" };
    expect(await readKeptCounters(env.ARCHIVE, at)).toBe(null);
    await putKeptCounters(env.ARCHIVE, { ...at, parts: [part(3)] });
    // Made again when some of the day's entries have expired, they would be others.
    await putKeptCounters(env.ARCHIVE, { ...at, parts: [part(2)] });
    expect(await readKeptCounters(env.ARCHIVE, at)).toEqual([part(3)]);
  });

  it("are listed by day, those of the log alone and not of one that continues it", async () => {
    const log = `log.test/${freshOrg()}`;
    const days = ["2025-12-31", "2026-01-01", "2026-01-03", "2026-02-01"];
    for (const day of days) await putKeptCounters(env.ARCHIVE, { log, day, parts: [] });
    for (const number of [2, 10, 20, 30]) {
      await putKeptCounters(env.ARCHIVE, { log: `${log}/${number}`, day: "2026-01-02", parts: [] });
    }
    const listed = (from: string, to: string) => listKeptDays(env.ARCHIVE, { log, from, to });
    expect([...(await listed("2026-01-01", "2026-01-31"))]).toEqual(["2026-01-01", "2026-01-03"]);
    expect([...(await listed("2000-01-01", "2999-01-01"))]).toEqual(days);
    expect(await listed("2026-01-04", "2026-01-31")).toEqual(new Set());
  });
});
