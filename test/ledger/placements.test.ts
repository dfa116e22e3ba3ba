import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { evict, restoreFaults } from "../support/faults.ts";
import { shrinkCells, unshrinkCells } from "../support/shrink-cells.ts";
import { setBack } from "../support/set-back.ts";

afterEach(() => {
  restoreFaults();
  unshrinkCells();
});

/** An org with entries 0–3 in one cell and 4–8 in the other. */
async function splitOrg(): Promise<string> {
  const org = await createOrg("split");
  await append(org, batchOf([event(1, { id: "e-1" }), event(2, { id: "e-2" })]));
  await untilProjected(org);
  await shrinkCells(org);
  await append(org, batchOf([event(3, { id: "e-3" })]));
  await untilProjected(org);
  unshrinkCells();
  await append(org, batchOf([4, 5, 6].map((n) => event(n, { id: `e-${n}` }))));
  await append(org, batchOf([event(7, { id: "e-7" }), event(8, { id: "e-8" })]));
  await untilProjected(org);
  return org;
}

async function walk(org: string, query: string): Promise<number[]> {
  const indexes: number[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await call("GET", `/v1/orgs/${org}/events?source=client&limit=2${query}${cursor}`);
    expect(page.status, page.text).toBe(200);
    indexes.push(...page.json.data.map(({ index }: { index: number }) => index));
    cursor = page.json.next_cursor === null ? null : `&cursor=${page.json.next_cursor}`;
  }
  return indexes;
}

async function reportOf(org: string): Promise<unknown> {
  const { text } = await call("GET", `/v1/orgs/${org}/verify`);
  return JSON.parse(text.trim().split("\n").at(-1) ?? "");
}

describe("a full cell", () => {
  it("takes no new ranges: what follows goes to the next cell, and nothing moves", async () => {
    const org = await splitOrg();
    const { ledger, status } = await checkLedger(org, { archived: true });
    expect(ledger.placements.map(({ first_index }) => first_index)).toEqual([0, 4]);
    expect(new Set(ledger.placements.map(({ cell }) => cell))).toEqual(new Set(["CELL_0", "CELL_1"]));
    expect(status.size).toBe(9);
  });

  it("is walked by list, get and verify together with the next", async () => {
    const org = await splitOrg();
    expect(await walk(org, "")).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(await walk(org, "&order=asc")).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await walk(org, "&actor=u_1")).toEqual([8, 1]);
    expect(await walk(org, "&after_index=2&before_index=7")).toEqual([6, 5, 4, 3]);
    for (const n of [1, 3, 4, 8]) {
      for (const name of [`e-${n}`, String(n)]) {
        const got = await call("GET", `/v1/orgs/${org}/events/${name}`);
        expect(got.json).toMatchObject({ id: `e-${n}`, index: n, metadata: { n } });
      }
    }
    expect(await reportOf(org)).toMatchObject({ ok: true, breaks: [], unvouched: [] });
  });

  it("keeps its placement over a restart, and opens no third when there is no cell left", async () => {
    const org = await splitOrg();
    await evict(org);
    await shrinkCells(org);
    await append(org, batchOf([event(9)]));
    await untilProjected(org);
    await append(org, batchOf([event(10)]));
    const { ledger, status } = await checkLedger(org, { archived: true });
    expect(ledger.placements.map(({ first_index }) => first_index)).toEqual([0, 4]);
    expect(status.size).toBe(11);
    const { text } = await call("GET", "/metrics");
    expect(Number(/audit_cells_full_total (\d+)/.exec(text)?.[1])).toBeGreaterThan(0);
  });

  it("is filled up again after it was restored to an older state, before the next one goes on", async () => {
    const org = await splitOrg();
    const { ledger } = await checkLedger(org, { archived: true });
    for (const { cell, org_number, first_index } of ledger.placements) {
      await setBack(env[cell as "CELL_0"], { org_number, to: first_index + 2 });
    }
    await evict(org);
    await wake(org);
    await checkLedger(org, { archived: true });
  });
});
