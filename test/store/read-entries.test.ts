import { describe, expect, it } from "vitest";
import { readEntries, readEntry, type StoredRow } from "../../src/store/list-entries.ts";
import { monthOf } from "../../src/store/slot.ts";
import { freshLog, project, type TestLog } from "./cells.ts";

const MONTHS = { from: monthOf("2026-09-01T00:00:00.000Z"), to: monthOf("2026-11-21T00:00:00.000Z") };
const places = (rows: readonly StoredRow[]) => rows.map(({ index, slot }) => `${index}@${slot}`);

/** Three entries a month: 0–2 in slot 00, 3–5 in 01, 6–8 in 02. */
async function threeMonths(): Promise<TestLog> {
  const log = await freshLog();
  const months = ["2026-09", "2026-10", "2026-11"];
  await project(
    log,
    Array.from({ length: 9 }, (_, n) => ({
      action: "a.b",
      sequenced_at: `${months[Math.floor(n / 3)]}-02T00:00:00.000Z`,
      metadata: JSON.stringify("x".repeat(5_000)),
    })),
  );
  return log;
}

const plant = ({ cell, org_number }: TestLog, { slot, index }: { slot: string; index: number }) =>
  cell
    .prepare(`insert into entry_${slot} (key, record) values (?1, 'planted')`)
    .bind(org_number * 2 ** 32 + index)
    .run();

describe("readEntries", () => {
  it("answers the rows of all slots, highest index first, those sharing an index together", async () => {
    const log = await threeMonths();
    await plant(log, { slot: "11", index: 4 });
    await plant(log, { slot: "00", index: 8 });
    await plant(log, { slot: "07", index: 2 ** 32 - 1 });
    const rows = await readEntries(log.cell, { placement: log, low: 0, high: 2 ** 32, limit_bytes: 10 ** 6 });
    expect(places(rows)).toEqual([
      ...["4294967295@07", "8@00", "8@02", "7@02", "6@02", "5@01", "4@01", "4@11", "3@01", "2@00", "1@00", "0@00"],
    ]);
  });

  it("keeps to the indexes asked for, and answers none when there are none", async () => {
    const log = await threeMonths();
    const read = (low: number, high: number) =>
      readEntries(log.cell, { placement: log, low, high, limit_bytes: 10 ** 6 });
    expect(places(await read(2, 7))).toEqual(["6@02", "5@01", "4@01", "3@01", "2@00"]);
    expect(await read(9, 2 ** 32)).toEqual([]);
    expect(await read(4, 4)).toEqual([]);
  });

  it.each([1, 6_000, 12_000, 17_000, 10 ** 6])("skips nothing when it stops after %i bytes", async (limit_bytes) => {
    const log = await threeMonths();
    await plant(log, { slot: "11", index: 4 });
    await plant(log, { slot: "12", index: 7 });
    await plant(log, { slot: "00", index: 6 });
    const seen: string[] = [];
    for (let high = 2 ** 32; ; ) {
      const rows = await readEntries(log.cell, { placement: log, low: 0, high, limit_bytes });
      const lowest = rows.at(-1);
      if (lowest === undefined) break;
      seen.push(...places(rows));
      high = lowest.index;
    }
    expect(seen).toEqual([
      ...["8@02", "7@02", "7@12", "6@00", "6@02", "5@01", "4@01", "4@11", "3@01", "2@00", "1@00", "0@00"],
    ]);
  });
});

describe("readEntry", () => {
  it("finds an entry in the slot of its month", async () => {
    const log = await threeMonths();
    for (const index of [0, 4, 8]) {
      expect(await readEntry(log.cell, { placement: log, index, months: MONTHS })).toMatchObject({ index });
    }
  });

  it("answers null for an index that is not there, another org's, and a month not asked for", async () => {
    const log = await threeMonths();
    const other = await freshLog();
    expect(await readEntry(log.cell, { placement: log, index: 9, months: MONTHS })).toBeNull();
    expect(await readEntry(log.cell, { placement: other, index: 0, months: MONTHS })).toBeNull();
    const newest = { from: MONTHS.to, to: MONTHS.to };
    expect(await readEntry(log.cell, { placement: log, index: 0, months: newest })).toBeNull();
    expect(await readEntry(log.cell, { placement: log, index: 0, months: { from: 1, to: 0 } })).toBeNull();
  });
});
