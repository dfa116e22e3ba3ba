import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { archiveDue, checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { call, createOrg, event } from "../support/client.ts";
import { abort, breakD1, breakR2, CELLS, evict, replaceMethod, restoreFaults } from "../support/faults.ts";
import { lostOrg, placementOf, restored } from "../support/lost-org.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { shrinkCells, unshrinkCells } from "../support/shrink-cells.ts";
import { setBack } from "../support/set-back.ts";

afterEach(() => {
  restoreFaults();
  unshrinkCells();
});

async function verified(org: string): Promise<any> {
  const { text } = await call("GET", `/v1/orgs/${org}/verify`);
  return JSON.parse(text.trim().split("\n").at(-1) as string);
}

describe("a ledger whose storage was rewound", () => {
  it.each([true, false])(
    "takes over what is lost before the next append, and says so (archived: %s)",
    async (archived) => {
      const { org, snapshot } = await lostOrg({ archived });
      await rewindTo(org, snapshot);
      const { receipts } = await append(org, batchOf([event(9)]));
      expect(receipts[0]?.index).toBe(10);
      const { entries } = await checkLedger(org, { archived: true });
      expect(entries[9]).toMatchObject({ action: "indelible.log.restored", source: "service" });
      expect(restored(entries[9])).toEqual({
        from_size: 3,
        to_size: 9,
        sources: [
          { store: "R2", from: 3, to: 6 },
          { store: "D1", from: 7, to: 8 },
        ],
        keys_lost: [],
      });
      expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    },
  );

  it("does so from R2 alone when D1 was rewound as well, and D1 follows", async () => {
    const { org, snapshot } = await lostOrg();
    await archiveDue(org);
    const { cell, org_number } = await placementOf(org);
    await rewindTo(org, snapshot);
    await setBack(cell, { org_number, to: 2 });
    await wake(org);
    const { entries } = await checkLedger(org, { archived: true });
    expect(restored(entries[9]).sources).toEqual([{ store: "R2", from: 3, to: 8 }]);
    expect(await verified(org)).toMatchObject({ ok: true, pending: 0 });
  });

  it("does so from D1 alone when R2 has nothing of what was lost", async () => {
    const org = await createOrg("d1");
    await append(org, batchOf([event(1)]));
    await untilProjected(org);
    const snapshot = await snapshotOf(org);
    await append(
      org,
      batchOf(
        Array.from({ length: 250 }, (_, n) => event(n, { id: `n-${n}` })),
        { batch: "many" },
      ),
    );
    await untilProjected(org);
    await rewindTo(org, snapshot);
    await wake(org);
    const { entries } = await checkLedger(org, { archived: true });
    expect(restored(entries.at(-1)).sources).toEqual([{ store: "D1", from: 2, to: 251 }]);
  });

  it("does nothing when D1 alone was rewound: the ledger catches D1 up", async () => {
    const { org } = await lostOrg();
    const { cell, org_number } = await placementOf(org);
    await setBack(cell, { org_number, to: 2 });
    await evict(org);
    await wake(org);
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.map(({ action }) => action)).not.toContain("indelible.log.restored");
  });

  it("knows batches and ids of the lost part again", async () => {
    const { org, snapshot, second, receipts } = await lostOrg();
    await rewindTo(org, snapshot);
    expect(await append(org, second)).toEqual(receipts);
    const again = await append(org, batchOf([event(6, { id: "a-6" }), event(9, { id: "a-9" })]));
    expect(again.receipts.map(({ index, duplicate }) => [index, duplicate])).toEqual([
      [6, true],
      [10, false],
    ]);
    await checkLedger(org, { archived: true });
  });

  it("has the settings of the lost part, and keys revoked in it stay revoked", async () => {
    const org = await createOrg("keys");
    const old = (await call("POST", `/v1/orgs/${org}/keys`, { body: { name: "old", scopes: ["events:append"] } })).json;
    const snapshot = await snapshotOf(org);
    await call("DELETE", `/v1/orgs/${org}/keys/${old.id}`);
    const made = (await call("POST", `/v1/orgs/${org}/keys`, { body: { name: "new", scopes: ["events:append"] } }))
      .json;
    await call("PUT", `/v1/orgs/${org}`, { body: { name: "Renamed" } });
    await untilProjected(org);
    await rewindTo(org, snapshot);
    for (const { key } of [old, made]) {
      const refused = await call("POST", `/v1/orgs/${org}/events`, { body: event(1), key });
      expect([refused.status, refused.json.code]).toEqual([401, "unauthorized"]);
    }
    expect((await call("GET", `/v1/orgs/${org}`)).json.name).toBe("Renamed");
    const { entries } = await checkLedger(org);
    const act = entries.find(({ action }) => action === "indelible.log.restored");
    expect(restored(act).keys_lost).toEqual([made.id]);
    const { data } = (await call("GET", `/v1/orgs/${org}/keys`)).json;
    expect(data.map(({ revoked_at }: any) => revoked_at === null)).toEqual([false, false]);
  });

  it("closes a read of the lost part once, and none that was closed in it", async () => {
    const org = await createOrg("reads");
    await call("GET", `/v1/orgs/${org}/events?limit=1`);
    const snapshot = await snapshotOf(org);
    await append(org, batchOf([event(1)]));
    await later(16 * 60_000, async () => {
      await wake(org);
      await call("GET", `/v1/orgs/${org}/events?limit=2`);
      await wake(org);
    });
    await untilProjected(org);
    await rewindTo(org, snapshot);
    await later(60 * 60_000, async () => {
      await wake(org);
      await wake(org);
    });
    const { entries, ledger } = await checkLedger(org);
    const of = (action: string) => entries.filter((entry) => entry.action === action).length;
    expect([of("indelible.read"), of("indelible.read.closed")]).toEqual([2, 2]);
    expect(ledger.sessions).toEqual([]);
  });

  it("goes on from wherever it was killed, and seals once", async () => {
    const { org, snapshot } = await lostOrg();
    await archiveDue(org);
    await append(org, batchOf([event(9), event(10)]));
    await untilProjected(org);
    for (let calls = 1; calls <= 12; calls++) {
      await rewindTo(org, snapshot);
      let seen = 0;
      // Every question to R2 or a cell may be the last one.
      const hang = (original: any, args: any[]) => (++seen > calls ? new Promise(() => {}) : original(...args));
      for (const name of ["list", "get"] as const) replaceMethod(env.ARCHIVE, name, hang);
      for (const cell of CELLS) replaceMethod(cell, "batch", hang);
      const hanging = env.ORG_LEDGER.getByName(org)
        .wake(org)
        .catch(() => null);
      await Promise.race([
        hanging,
        expect
          .poll(() => seen > calls, { timeout: 1_000 })
          .toBe(true)
          .catch(() => null),
      ]);
      await abort(org);
      await hanging;
      restoreFaults();
      await wake(org);
      const { entries } = await checkLedger(org);
      const acts = entries.filter(({ action }) => action === "indelible.log.restored");
      expect(acts.map(restored)).toMatchObject([{ from_size: 3, to_size: 11 }]);
      // The next round loses the act again: D1 has to forget it as well.
      const { cell, org_number } = await placementOf(org);
      await setBack(cell, { org_number, to: 11 });
    }
  });

  it("waits for both stores, for the silent one may hold more", async () => {
    const { org, snapshot } = await lostOrg();
    await rewindTo(org, snapshot);
    const d1 = breakD1();
    expect(await refusalOf(org)).toMatchObject({ code: "overloaded", retry_after_s: 5 });
    d1.restore();
    const r2 = breakR2();
    expect(await refusalOf(org)).toMatchObject({ code: "overloaded", retry_after_s: 5 });
    expect(await statusOf(org)).toMatchObject({ size: 3, ingestion: "overloaded" });
    r2.restore();
    expect(await refusalOf(org)).toBe(null);
    await checkLedger(org, { archived: true });
  });

  it("finds later entries in the cell they went to", async () => {
    const org = await createOrg("cells");
    await append(org, batchOf([event(1)]));
    await untilProjected(org);
    const snapshot = await snapshotOf(org);
    await shrinkCells(org);
    await append(org, batchOf([event(2)]));
    await untilProjected(org);
    unshrinkCells();
    await append(org, batchOf([event(3), event(4)]));
    await untilProjected(org);
    const before = (await readLedger(org)).placements;
    await rewindTo(org, snapshot);
    await wake(org);
    const { ledger, entries } = await checkLedger(org, { archived: true });
    expect(ledger.placements).toEqual(before);
    expect(before.length).toBe(2);
    expect(restored(entries.at(-1))).toMatchObject({ from_size: 2, to_size: 5 });
  });

  it("is made anew by whoever creates the org again, when its storage has lost everything", async () => {
    const { org, second, receipts } = await lostOrg();
    const { created_at } = (await call("GET", `/v1/orgs/${org}`)).json;
    await rewindTo(org, null);
    expect((await call("GET", `/v1/orgs/${org}`)).status).toBe(404);
    const again = await call("PUT", `/v1/orgs/${org}`, { body: { name: "another name" } });
    expect(again.status, again.text).toBe(201);
    const { entries } = await checkLedger(org, { archived: true });
    expect(restored(entries[9])).toMatchObject({ from_size: 0, to_size: 9 });
    expect((await call("GET", `/v1/orgs/${org}`)).json).toMatchObject({ name: "lost", created_at });
    expect(await append(org, second)).toEqual(receipts);
    expect(await verified(org)).toMatchObject({ ok: true });
  });
});
