import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { readTree } from "../support/check/check-tree.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { createOrg, event } from "../support/client.ts";
import {
  abort,
  breakR2,
  breakSegments,
  breakTree,
  evict,
  type Fault,
  FAULT_KINDS,
  replaceMethod,
  restoreFaults,
} from "../support/faults.ts";

afterEach(restoreFaults);

const events = (count: number) => Array.from({ length: count }, (_, n) => event(n));
const soon = (org: string) => later(61_000, () => wake(org));
const afterwards = (org: string) => later(90_000, () => wake(org));

/** Breaks the transactions that write the tree's row, until restored or `times` were met. */
function breakRow(org: string, kind: "failed" | "failed but stored"): Promise<Fault> {
  return runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    const size = () => storage.sql.exec("select size from tree").toArray()[0]?.["size"];
    const fault = { hits: 0, restore: () => replaced.restore() };
    const fail = () => {
      fault.hits++;
      throw new Error("transactionSync failed: injected by the test");
    };
    const replaced = replaceMethod(storage, "transactionSync", (original, [body]) => {
      let wrote = false;
      const answer = original(() => {
        const before = size();
        const done = body();
        wrote = size() !== before;
        if (wrote && fault.hits === 0 && kind === "failed") fail();
        return done;
      });
      if (wrote && fault.hits === 0) fail();
      return answer;
    });
    return fault;
  });
}

const PARTS = { tile: "tile/0/", bundle: "tile/entries/", checkpoint: "checkpoint/" } as const;
const STEPS = ["segment", "tile", "bundle", "checkpoint", "row"] as const;
const CASES = STEPS.flatMap((step) =>
  FAULT_KINDS.flatMap((kind) => ["the same size", "another size"].map((size) => ({ step, kind, size }))),
);

async function breakStep(org: string, step: (typeof STEPS)[number], kind: (typeof FAULT_KINDS)[number]) {
  if (step === "row") return breakRow(org, kind);
  if (step === "segment") return breakSegments(org, "put", kind, { times: 1 });
  return breakTree(org, { method: "put", kind, times: 1, part: PARTS[step] });
}

describe("a checkpoint that is not published", () => {
  it.each(CASES)(
    "because its $step ($kind) is made up for at $size, and appends go on",
    async ({ step, kind, size }) => {
      const org = await createOrg("publish");
      await soon(org);
      const fault = await breakStep(org, step, kind);
      await append(org, batchOf(events(520)));
      await untilProjected(org);
      await soon(org);
      expect(fault.hits).toBeGreaterThan(0);
      // A row that was stored is read again, however its transaction ended; then the checkpoint is out.
      const stored = step === "row" && kind === "failed but stored";
      expect(await statusOf(org)).toMatchObject({ published: stored ? 521 : 1, ingestion: "accepting" });
      if (size === "another size") await append(org, batchOf(events(10)));
      await afterwards(org);
      await evict(org);
      const { status } = await checkLedger(org, { archived: true });
      expect(status).toMatchObject({ publishing: "running", published: size === "another size" ? 531 : 521 });
    },
  );

  it("is not asked for again with every append while R2 is down, and is counted", async () => {
    const org = await createOrg("down");
    const puts = breakTree(org, { method: "put", kind: "failed" });
    await append(org, batchOf(events(300)));
    await expect.poll(() => puts.hits).toBeGreaterThan(0);
    const before = puts.hits;
    for (let n = 0; n < 5; n++) await append(org, batchOf(events(300)));
    await untilProjected(org);
    expect(puts.hits).toBe(before);
    expect((await statusOf(org)).publishing).toBe("waiting");
    puts.restore();
    await soon(org);
    await checkLedger(org, { archived: true });
  });

  it("because R2 hangs keeps neither projection nor archiving waiting", async () => {
    const org = await createOrg("hung");
    const puts = breakTree(org, { method: "put", kind: "hangs" });
    await append(org, batchOf(events(1_100)));
    await expect.poll(() => puts.hits).toBeGreaterThan(0);
    await append(org, batchOf(events(1_100)));
    const stands = async () => {
      const { projected, archived, published } = await statusOf(org);
      return { projected, archived, published };
    };
    await expect.poll(stands, { timeout: 20_000 }).toMatchObject({ projected: 2_201, archived: 2_201, published: 0 });
    await abort(org);
    puts.restore();
    await afterwards(org);
    await checkLedger(org, { archived: true });
  });

  it("though R2 is down altogether keeps no append waiting", async () => {
    const org = await createOrg("all");
    breakR2();
    for (let n = 0; n < 3; n++) await append(org, batchOf(events(300)));
    await soon(org);
    expect(await statusOf(org)).toMatchObject({ size: 901, published: 0, ingestion: "accepting" });
    restoreFaults();
    await afterwards(org);
    await checkLedger(org, { archived: true });
  });
});

describe("a ledger that is killed while it publishes", () => {
  it.each(["tile", "bundle", "checkpoint"] as const)(
    "at its %s, stored or not, goes on from what is stored",
    async (step) => {
      for (const kind of ["hangs", "hangs, but stored"] as const) {
        const org = await createOrg("killed");
        await soon(org);
        const fault = breakTree(org, { method: "put", kind, times: 1, part: PARTS[step] });
        await append(org, batchOf(events(300)));
        await untilProjected(org);
        const hanging = soon(org).catch(() => "aborted");
        await expect.poll(() => fault.hits).toBe(1);
        await abort(org);
        await hanging;
        fault.restore();
        expect(await statusOf(org)).toMatchObject({ published: 1 });
        // More comes before the next run: the checkpoint that may be in R2 is made first, and never another beside it.
        await append(org, batchOf(events(5)));
        await afterwards(org);
        const { entries } = await checkLedger(org, { archived: true });
        expect(entries.length).toBe(306);
      }
    },
  );

  it("after R2 took a checkpoint finds it when it starts, also though R2 did not answer then", async () => {
    for (const listed of [true, false]) {
      const org = await createOrg("found");
      breakTree(org, { method: "put", kind: "failed but stored", times: 1, part: PARTS.checkpoint });
      await append(org, batchOf(events(3)));
      await untilProjected(org);
      await soon(org);
      await append(org, batchOf(events(4)));
      const lists = listed ? null : breakTree(org, { method: "list", kind: "failed" });
      await evict(org);
      await append(org, batchOf(events(1)));
      lists?.restore();
      await afterwards(org);
      const { ledger } = await checkLedger(org, { archived: true });
      const names = [...(await readTree(ledger.org.log)).keys()].filter((name) => name.startsWith("checkpoint/"));
      expect(names).toEqual(["checkpoint/0000000004", "checkpoint/0000000009"]);
    }
  });
});

describe("a ledger evicted at any time", () => {
  it("publishes one tree, whatever sizes it got to", async () => {
    const org = await createOrg("evicted");
    for (let n = 0; n < 6; n++) {
      await append(org, batchOf(events(100 + n)));
      await later(61_000 * (n + 1), () => wake(org));
      await evict(org);
    }
    const { status } = await checkLedger(org, { archived: true });
    expect(status.published).toBe(616);
    expect((await readLedger(org)).tree?.size).toBe(616);
  });
});
