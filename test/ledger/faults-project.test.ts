import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { readCell } from "../support/check/read-stores.ts";
import { call, createOrg, event } from "../support/client.ts";
import {
  breakD1,
  breakProjection,
  CELLS,
  evict,
  FAULT_KINDS,
  projectsFor,
  replaceMethod,
  restoreFaults,
} from "../support/faults.ts";
import { growthOf } from "../watch/support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

const SIZES = ["the same size", "another size"] as const;
const CASES = FAULT_KINDS.flatMap((kind) => SIZES.map((size) => ({ kind, size })));

async function failures(): Promise<number> {
  const { text } = await call("GET", "/metrics");
  return Number(/audit_projection_failures_total (\d+)/.exec(text)?.[1] ?? 0);
}

describe("a projection that fails", () => {
  it.each(CASES)("($kind) is made up for at $size, each entry once", async ({ kind, size }) => {
    const org = await createOrg("project");
    await untilProjected(org);
    const before = await failures();
    const fault = breakProjection(org, kind, { times: 1 });
    await append(org, batchOf([event(1, { id: "a" }), event(2)]));
    await expect.poll(async () => (await statusOf(org)).projection).toBe("waiting");
    expect(fault.hits).toBe(1);
    expect(await statusOf(org)).toMatchObject({ size: 3, projected: 1 });
    expect((await failures()) - before).toBeGreaterThanOrEqual(1);

    // Nobody waits for it: what is appended, or the alarm, makes up for it.
    if (size === "another size") await append(org, batchOf([event(3), event(4)]));
    else await wake(org);
    const stands = { projection: "running", projected: size === "another size" ? 5 : 3 };
    await expect.poll(() => statusOf(org)).toMatchObject(stands);
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.length).toBe(size === "another size" ? 5 : 3);
  });

  it("is tried again by the alarm, each time after twice as long, up to a minute", async () => {
    // Alarms of a day ahead do not go off by themselves: each is run by hand, at its time.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 86_400_000 });
    const org = await createOrg("alarm");
    await untilProjected(org);
    const fault = breakProjection(org, "failed");
    await append(org, batchOf([event(1)]));
    const ledger = env.ORG_LEDGER.getByName(org);
    const alarmAt = () => runInDurableObject(ledger, (_, { storage }) => storage.getAlarm());
    await expect.poll(() => fault.hits).toBe(1);
    // Archives everything, so that from here on alarms are set for projection alone.
    expect(await archiveDue(org)).toMatchObject({ archived: 2, projection: "waiting" });
    expect(fault.hits).toBe(2);
    const delays: number[] = [];
    for (let at = Date.now() + 2_000; fault.hits < 9; ) {
      vi.setSystemTime(at);
      expect(await runDurableObjectAlarm(ledger)).toBe(true);
      at = (await alarmAt()) ?? 0;
      delays.push((at - Date.now()) / 1_000);
    }
    expect(delays).toEqual([4, 8, 16, 32, 60, 60, 60]);
    fault.restore();
    expect(await runDurableObjectAlarm(ledger)).toBe(true);
    expect(await statusOf(org)).toMatchObject({ projected: 2, projection: "running" });
    await checkLedger(org);
  });

  it("writes nothing when it is replayed", async () => {
    const org = await createOrg("replayed");
    await append(org, batchOf([event(1), event(2)]));
    await untilProjected(org);
    const replays: { args: unknown[]; run: (statements: unknown) => Promise<unknown> }[] = [];
    for (const cell of CELLS) {
      replaceMethod(cell, "batch", (original, args) => {
        if (projectsFor(org)(args)) replays.push({ args, run: original });
        return original(...args);
      });
    }
    await append(org, batchOf([event(3), event(4)]));
    await untilProjected(org);
    const { ledger } = await checkLedger(org);
    const contents = () =>
      Promise.all(ledger.placements.map(({ cell, org_number }) => readCell(env[cell as "CELL_0"], org_number)));
    const before = await contents();
    expect(replays.length).toBe(1);
    for (const { args, run } of replays) {
      await expect(run(args[0])).rejects.toThrow("NOT NULL constraint failed: cursor.next");
    }
    expect(await contents()).toEqual(before);
    await checkLedger(org);
  });

  it("is refused by a range that another log took, and made up for when it is the org's again", async () => {
    const org = await createOrg("taken");
    await untilProjected(org);
    const [place] = (await checkLedger(org)).ledger.placements;
    const cell = env[place?.cell as "CELL_0"];
    const rename = (log: string) =>
      cell.prepare("update cursor set log = ?2 where org_number = ?1").bind(place?.org_number, log).run();
    await rename("log.test/v1/orgs/another");
    const before = await readCell(cell, place?.org_number ?? -1);
    const grown = await growthOf(async () => {
      await append(org, batchOf([event(1), event(2)]));
      await expect.poll(async () => (await statusOf(org)).projection).toBe("waiting");
    });
    expect(grown['audit_cross_org_refusals_total{at="projection"}']).toBeGreaterThanOrEqual(1);
    expect(await readCell(cell, place?.org_number ?? -1)).toEqual(before);
    await rename(place?.log ?? "");
    expect((await checkLedger(org, { archived: true })).entries.length).toBe(3);
  });

  it("is not repeated when memory forgot how far it was", async () => {
    const org = await createOrg("forgot");
    await append(org, batchOf([event(1), event(2)]));
    await untilProjected(org);
    let batches = 0;
    for (const cell of CELLS) {
      replaceMethod(cell, "batch", (original, args) => {
        if (projectsFor(org)(args)) batches++;
        return original(...args);
      });
    }
    await evict(org);
    await wake(org);
    expect(batches).toBe(0);
    await checkLedger(org);
  });
});

describe("D1 down", () => {
  it("does not stop appends, and everything shows up afterwards", async () => {
    const org = await createOrg("down");
    await untilProjected(org);
    breakD1();
    for (let n = 0; n < 5; n++) {
      const answer = await call("POST", `/v1/orgs/${org}/events`, { body: event(n, { id: `d-${n}` }) });
      expect(answer.status, answer.text).toBe(201);
    }
    expect(await statusOf(org)).toMatchObject({ size: 6, projected: 1, ingestion: "accepting" });
    await checkLedger(org, { projected: false });
    restoreFaults();
    await wake(org);
    const listed = await call("GET", `/v1/orgs/${org}/events?min_size=6&source=client`);
    expect(listed.json.data.map(({ id }: { id: string }) => id)).toEqual(["d-4", "d-3", "d-2", "d-1", "d-0"]);
    await checkLedger(org, { archived: true });
  });

  it("keeps staged rows though R2 has them", async () => {
    const org = await createOrg("kept");
    breakProjection(org, "failed");
    await append(org, batchOf([event(1)]));
    const { ledger, status } = await later(60_000, async () => {
      await wake(org);
      return checkLedger(org, { projected: false });
    });
    expect(status.archived).toBe(2);
    expect(ledger.staged.length).toBeGreaterThan(0);
    restoreFaults();
    await checkLedger(org, { archived: true });
  });
});
