import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, untilProjected } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";
import { CELLS, projectsFor, replaceMethod, restoreFaults } from "../support/faults.ts";

afterEach(restoreFaults);

type Rows = { ledger: number; d1: number };

/** Counts every row an org's ledger and its cells write from here on, as the platform bills them. */
async function countRows(org: string): Promise<() => Promise<Rows>> {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  let alarms = 0;
  let d1 = 0;
  await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    replaceMethod(storage.sql, "exec", (original, args) => {
      const cursor = original(...args) as (typeof cursors)[number];
      cursors.push(cursor);
      return cursor;
    });
    replaceMethod(storage, "setAlarm", (original, args) => {
      alarms++;
      return original(...args);
    });
  });
  for (const cell of CELLS) {
    replaceMethod(cell, "batch", async (original, args) => {
      const results = (await original(...args)) as D1Result[];
      if (projectsFor(org)(args)) for (const { meta } of results) d1 += meta.rows_written;
      return results;
    });
  }
  return () =>
    runInDurableObject(env.ORG_LEDGER.getByName(org), () => {
      const written = cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0);
      return { ledger: written + alarms, d1 };
    });
}

/** Appends `calls` batches of `size`, each awaited, projected and in the end archived; answers rows an entry. */
async function rowsPerEntry(calls: number, size: number, { ids = false } = {}): Promise<Rows> {
  const org = await createOrg("rows");
  await untilProjected(org);
  const rows = await countRows(org);
  for (let call = 0; call < calls; call++) {
    const events = Array.from({ length: size }, (_, n) => event(n, ids ? { id: `id-${call}-${n}` } : {}));
    await append(org, batchOf(events));
    await untilProjected(org);
  }
  await archiveDue(org);
  const { ledger, d1 } = await rows();
  restoreFaults();
  const { status } = await checkLedger(org, { archived: true });
  expect(status.size).toBe(1 + calls * size);
  return { ledger: ledger / (calls * size), d1: d1 / (calls * size) };
}

/** Rows an entry may cost in the ledger and in D1, at so many entries a call; the first of an action on a day costs one more. */
const BUDGETS = [
  { size: 100, calls: 12, ledger: 0.1, d1: 2.3 },
  { size: 10, calls: 20, ledger: 0.7, d1: 3 },
  { size: 1, calls: 30, ledger: 5, d1: 4.04 },
];

describe("rows written, archive and alarms included", () => {
  it.each(BUDGETS)("are at most $ledger in the ledger and $d1 in D1 an entry, at $size a call", async (budget) => {
    const written = await rowsPerEntry(budget.calls, budget.size);
    expect(written.d1).toBeGreaterThanOrEqual(2);
    expect(written.d1).toBeLessThanOrEqual(budget.d1);
    expect(written.ledger).toBeGreaterThan(0);
    expect(written.ledger).toBeLessThanOrEqual(budget.ledger);
  });

  it.each(BUDGETS)("grow by at most one an entry for clients' ids, at $size a call", async (budget) => {
    const written = await rowsPerEntry(budget.calls, budget.size, { ids: true });
    expect(written.d1).toBeLessThanOrEqual(budget.d1);
    expect(written.ledger).toBeGreaterThan(1);
    expect(written.ledger).toBeLessThanOrEqual(budget.ledger + 1);
  });
});
