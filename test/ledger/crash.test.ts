import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";
import {
  abort,
  breakProjection,
  breakSegments,
  CELLS,
  evict,
  projectsFor,
  replaceMethod,
  restoreFaults,
} from "../support/faults.ts";

afterEach(restoreFaults);

/** How often entries of this org are projected from here on. */
function projections(org: string): { count: number } {
  const seen = { count: 0 };
  for (const cell of CELLS) {
    replaceMethod(cell, "batch", (original, args) => {
      if (projectsFor(org)(args)) seen.count++;
      return original(...args);
    });
  }
  return seen;
}

describe("a ledger that crashes", () => {
  it("after the commit and before projection has lost nothing", async () => {
    const org = await createOrg("commit");
    await untilProjected(org);
    const batch = batchOf([event(1, { id: "a" }), event(2)]);
    const fault = breakProjection(org, "hangs");
    const before = await append(org, batch);
    await expect.poll(() => fault.hits).toBe(1);
    await abort(org);
    fault.restore();
    expect(await append(org, batch)).toEqual(before);
    expect(await wake(org)).toMatchObject({ size: 3, projected: 3 });
    await checkLedger(org, { archived: true });
  });

  it("after D1 took a batch and before memory knew projects nothing twice", async () => {
    const org = await createOrg("batch");
    await untilProjected(org);
    const fault = breakProjection(org, "hangs, but stored");
    await append(org, batchOf([event(1), event(2)]));
    await expect.poll(() => fault.hits).toBe(1);
    expect(await statusOf(org)).toMatchObject({ size: 3, projected: 1 });
    await abort(org);
    fault.restore();
    const seen = projections(org);
    expect(await wake(org)).toMatchObject({ size: 3, projected: 3 });
    expect(seen.count).toBe(0);
    await append(org, batchOf([event(3)]));
    await untilProjected(org);
    expect(seen.count).toBe(1);
    await checkLedger(org, { archived: true });
  });

  it("after R2 took a segment and before its row adopts it when it starts", async () => {
    const org = await createOrg("segment");
    await append(org, batchOf([event(1), event(2)]));
    await untilProjected(org);
    const fault = breakSegments(org, "put", "hangs, but stored");
    const hanging = archiveDue(org).catch(() => "aborted");
    await expect.poll(() => fault.hits).toBe(1);
    await abort(org);
    await hanging;
    fault.restore();
    const puts = breakSegments(org, "put", "failed");
    expect(await wake(org)).toMatchObject({ size: 3, archived: 3, projected: 3 });
    expect(puts.hits).toBe(0);
    const { objects } = await checkLedger(org, { archived: true });
    expect(objects.length).toBe(1);
  });

  it("after R2 took a segment and before its row archives anew when more was sealed meanwhile", async () => {
    const org = await createOrg("more");
    await append(org, batchOf([event(1), event(2)]));
    await untilProjected(org);
    breakSegments(org, "put", "failed but stored", { times: 1 });
    await archiveDue(org);
    await append(org, batchOf([event(3)]));
    await evict(org);
    const { ledger } = await checkLedger(org, { archived: true });
    expect(ledger.segments.map(({ first, last }) => [first, last])).toEqual([
      [0, 2],
      [3, 3],
    ]);
  });

  it("between two appends of a batch key answers it the same, sealed or not", async () => {
    const org = await createOrg("key");
    for (let n = 0; n < 6; n++) {
      const batch = batchOf([event(n, { id: `k-${n}` })]);
      const appending = append(org, batch).catch(() => null);
      if (n % 2 === 0) await abort(org);
      const first = await appending;
      const again = await append(org, batch);
      if (first !== null) expect(again).toEqual(first);
      expect(again.receipts[0]?.duplicate).toBe(false);
    }
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.filter(({ source }) => source === "client").map(({ id }) => id)).toEqual(
      [0, 1, 2, 3, 4, 5].map((n) => `k-${n}`),
    );
  });

  it("with an alarm that was lost sets one again as soon as it starts", async () => {
    const org = await createOrg("lost");
    const fault = breakProjection(org, "hangs");
    await append(org, batchOf([event(1)]));
    await expect.poll(() => fault.hits).toBe(1);
    const ledger = () => env.ORG_LEDGER.getByName(org);
    await runInDurableObject(ledger(), (_, { storage }) => storage.deleteAlarm());
    await abort(org);
    fault.restore();
    await statusOf(org);
    const alarmAt = () => runInDurableObject(ledger(), (_, { storage }) => storage.getAlarm());
    await expect.poll(alarmAt).not.toBe(null);
    await checkLedger(org);
  });
});
