import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { batchPrint, eventPrint } from "../../src/ledger/print.ts";
import type { Batch, CutEvent } from "../../src/schema/ledger.ts";
import { begun, byJane, carriedOut } from "../keep/support.ts";
import { append, appendBatches, batchOf, refusalOf } from "../support/append.ts";
import { archiveDue, checkLedger, untilProjected } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";
import { dropArchived, evict } from "../support/faults.ts";

const indexes = ({ receipts }: { receipts: { index: number }[] }) => receipts.map(({ index }) => index);

describe("receipts", () => {
  it("come in the order sent, with the id, index and hash of each entry", async () => {
    const org = await createOrg("order");
    const batch = batchOf([event(1, { id: "b" }), event(2), event(3, { id: "a" })]);
    const { receipts, size } = await append(org, batch);
    expect(size).toBe(4);
    expect(receipts.map(({ id }) => id)).toEqual(["b", expect.stringMatching(/^evt_[a-z2-7]{24}\.1$/), "a"]);
    const { entries } = await checkLedger(org);
    for (const [n, { id, index, entry_hash, sequenced_at, duplicate }] of receipts.entries()) {
      expect({ index, duplicate }).toEqual({ index: n + 1, duplicate: false });
      expect(entries[index]).toMatchObject({ id, hash: entry_hash, sequencedAt: sequenced_at, position: n });
    }
  });

  it("are rebuilt, the same, for a batch sent again: now, after eviction, and when nothing is staged any more", async () => {
    const org = await createOrg("replay");
    await append(org, batchOf([event(1, { id: "known" }), event(2)]));
    // Known and new ids, one id twice, and events without one.
    const batch = batchOf([
      event(3),
      event(1, { id: "known" }),
      event(4, { id: "new" }),
      event(4, { id: "new" }),
      event(5),
    ]);
    const first = await append(org, batch);
    expect(indexes(first)).toEqual([3, 1, 4, 4, 5]);
    expect(first.receipts.map(({ duplicate }) => duplicate)).toEqual([false, true, false, true, false]);
    expect(await append(org, batch)).toEqual(first);
    await append(org, batchOf([event(6)]));
    await evict(org);
    expect(await append(org, batch)).toEqual(first);
    await checkLedger(org, { archived: true });
    await dropArchived(org);
    expect(await append(org, batch)).toEqual(first);
    expect((await checkLedger(org)).entries.length).toBe(7);
  });

  it("are the first ones for an id sent again in any other batch", async () => {
    const org = await createOrg("again");
    const first = await append(org, batchOf([event(1, { id: "one" }), event(2, { id: "two" })]));
    const again = await append(org, batchOf([event(2, { id: "two" }), event(1, { id: "one" })]));
    expect(indexes(again)).toEqual([2, 1]);
    expect(again.receipts.map(({ entry_hash }) => entry_hash)).toEqual(
      first.receipts.map(({ entry_hash }) => entry_hash).reverse(),
    );
    expect(again.receipts.every(({ duplicate }) => duplicate)).toBe(true);
    expect((await checkLedger(org)).entries.length).toBe(3);
  });

  it("are the first caller's for the second one of the same gather", async () => {
    const org = await createOrg("pair");
    const [a, b] = await appendBatches(org, [batchOf([event(1, { id: "x" })]), batchOf([event(1, { id: "x" })])]);
    expect(a).toMatchObject({ ok: true, value: { receipts: [{ index: 1, duplicate: false }] } });
    expect(b).toMatchObject({ ok: true, value: { receipts: [{ index: 1, duplicate: true }] } });
    const same = batchOf([event(2), event(3, { id: "y" })]);
    const twice = await Promise.all([append(org, same), append(org, same)]);
    expect(twice[0]).toEqual(twice[1]);
    expect((await checkLedger(org)).entries.length).toBe(4);
  });
});

describe("an id or a batch used before for something else", () => {
  it("is a conflict for a batch with another body, and nothing is appended", async () => {
    const org = await createOrg("body");
    const batch = batchOf([event(1), event(2)]);
    await append(org, batch);
    for (const other of [[event(1)], [event(1), event(3)], [event(2), event(1)], [event(1), event(2), event(3)]]) {
      const refusal = await refusalOf(org, { ...batchOf(other), batch: batch.batch });
      expect(refusal).toMatchObject({ code: "conflict", detail: expect.stringContaining("Idempotency-Key") });
    }
    expect((await checkLedger(org)).entries.length).toBe(3);
  });

  it("is a conflict naming every such event, and its whole batch is left out", async () => {
    const org = await createOrg("ids");
    await append(org, batchOf([event(1, { id: "one" }), event(2, { id: "two" })]));
    const refusal = await refusalOf(
      org,
      batchOf([
        event(0),
        event(9, { id: "one" }),
        event(2, { id: "two" }),
        event(8, { id: "new" }),
        event(7, { id: "new" }),
      ]),
    );
    expect(refusal?.code).toBe("conflict");
    expect(refusal?.errors?.map(({ pointer }) => pointer)).toEqual(["/events/1/id", "/events/4/id"]);
    expect(await refusalOf(org, batchOf([event(8, { id: "new" })]))).toBe(null);
    expect((await checkLedger(org)).entries.length).toBe(4);
  });

  it("is a conflict within one gather, for the second caller alone", async () => {
    const org = await createOrg("race");
    const [a, b, c] = await appendBatches(org, [
      batchOf([event(1, { id: "x" })]),
      batchOf([event(2), event(2, { id: "x" })]),
      batchOf([event(3)]),
    ]);
    expect([a?.ok, b?.ok, c?.ok]).toEqual([true, false, true]);
    expect(c).toMatchObject({ value: { receipts: [{ index: 2 }] } });
    expect((await checkLedger(org)).entries.length).toBe(3);
  });

  it("is a conflict when one key went whole through one door and in parts through the other", async () => {
    const org = await createOrg("doors");
    const whole = batchOf([event(1), event(2)], { batch: "key-1" });
    await append(org, whole);
    const part = (n: number, of: string) => batchOf([event(n)], { batch: `${of} ${n}`, part_of: of, position: n });
    for (const n of [0, 1]) expect(await refusalOf(org, part(n, "key-1"))).toMatchObject({ code: "conflict" });
    await append(org, part(0, "key-2"));
    await append(org, part(1, "key-2"));
    expect(await refusalOf(org, batchOf([event(0), event(1)], { batch: "key-2" }))).toMatchObject({ code: "conflict" });
    expect((await checkLedger(org)).entries.length).toBe(5);
  });
});

describe("a batch in which events came again", () => {
  it("is the same batch by what was sent of them, and by their ids alone once that was erased", async () => {
    const org = await createOrg("came-again");
    await append(org, batchOf([byJane(1)]));
    const batches = [batchOf([byJane(1)]), batchOf([byJane(1), event(2)]), batchOf([event(3), byJane(4), byJane(1)])];
    const first: Awaited<ReturnType<typeof append>>[] = [];
    for (const batch of batches) first.push(await append(org, batch));
    const other = (batch: Batch) => ({ ...batch, events: batch.events.map((one) => changedIn(one, "jane-1")) });
    for (const [n, batch] of batches.entries()) {
      expect(await append(org, batch)).toEqual(first[n]);
      expect(await refusalOf(org, other(batch))).toMatchObject({ code: "conflict" });
    }
    await untilProjected(org);
    await archiveDue(org);
    await carriedOut(org, await begun(org, new Map([[1, ["actor", "actor/detail", "metadata"]]])));
    for (const [n, batch] of batches.entries()) {
      expect(await append(org, batch)).toEqual(first[n]);
      expect(await append(org, other(batch))).toEqual(first[n]);
      const less = { ...batch, events: batch.events.slice(1) };
      expect(await refusalOf(org, less)).toMatchObject({ code: "conflict" });
    }
    const changed = {
      ...other(batches[2] as Batch),
      events: batches[2]?.events.map((one) => changedIn(one, "jane-4")),
    };
    expect(await refusalOf(org, changed as Batch)).toMatchObject({ code: "conflict" });
    await checkLedger(org, { archived: true });
  });

  it("is known by a receipt whose print was made of what was sent of every event", async () => {
    const org = await createOrg("of-before");
    await append(org, batchOf([byJane(1)]));
    const batch = batchOf([byJane(1), event(2)]);
    const first = await append(org, batch);
    await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage: { sql } }) => {
      const key = new Uint8Array(sql.exec<{ print_key: ArrayBuffer }>("select print_key from org").one().print_key);
      const prints = batch.events.map((one) => (one.id === null ? null : eventPrint(key, one)));
      const print = batchPrint(key, batch.events, { prints, cameBefore: () => false });
      sql.exec("update batch_receipt set print = ? where batch = ?", print, batch.batch);
    });
    expect(await append(org, batch)).toEqual(first);
    const other = { ...batch, events: batchOf([byJane(1), event(3)]).events };
    expect(await refusalOf(org, other)).toMatchObject({ code: "conflict" });
  });

  /** The event of this id as another one. */
  function changedIn(one: CutEvent, id: string): CutEvent {
    return one.id === id ? { ...one, event: one.event.replace("document.share", "document.unshare") } : one;
  }
});
