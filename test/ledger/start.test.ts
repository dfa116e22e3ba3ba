import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { archiveDue, checkLedger, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { abort, breakD1, breakMethod, breakR2, breakSegments, CELLS, evict, restoreFaults } from "../support/faults.ts";

afterEach(restoreFaults);

/** Sets a ledger back to when it had `size` entries, as a restore of its storage would. */
async function rewind(org: string, size: number): Promise<void> {
  await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    for (const table of ["staged", "segment", "batch_receipt"]) {
      storage.sql.exec(`delete from ${table} where first >= ?`, size);
    }
    storage.sql.exec("delete from id_receipt where position >= ?", size);
    storage.sql.exec("delete from tree where size > ?", size);
  });
  await evict(org);
}

describe("a ledger that starts", () => {
  it("refuses appends while neither D1 nor R2 answers, and takes them as soon as one does", async () => {
    const org = await createOrg("neither");
    await append(org, batchOf([event(1)]));
    await untilProjected(org);
    await evict(org);
    const d1 = breakD1();
    const r2 = breakR2();
    const refused = await call("POST", `/v1/orgs/${org}/events`, { body: event(2) });
    expect([refused.status, refused.json.code]).toEqual([503, "overloaded"]);
    expect(refused.json.detail).toContain("D1 and R2 do not answer");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await statusOf(org)).toMatchObject({ size: 2, ingestion: "overloaded" });
    r2.restore();
    expect(await refusalOf(org)).toBe(null);
    d1.restore();
    await wake(org);
    expect((await checkLedger(org, { archived: true })).entries.length).toBe(3);
  });

  it.each(["D1", "R2"])("takes appends when only %s answers", async (store) => {
    const org = await createOrg("only");
    await append(org, batchOf([event(1)]));
    await archiveDue(org);
    await evict(org);
    const fault = store === "D1" ? breakR2() : breakD1();
    const { receipts } = await append(org, batchOf([event(2)]));
    expect(receipts[0]?.index).toBe(2);
    fault.restore();
    await wake(org);
    await checkLedger(org);
  });

  it("does not wait for a store that never answers", async () => {
    const org = await createOrg("slow");
    await append(org, batchOf([event(1)]));
    await untilProjected(org);
    await evict(org);
    for (const cell of CELLS) breakMethod(cell, "batch", "hangs");
    expect(await refusalOf(org, batchOf([event(2)]))).toBe(null);
    restoreFaults();
    await abort(org);
    await checkLedger(org);
  });

  it("adopts a segment R2 holds of exactly the rows that are staged, and only that", async () => {
    const org = await createOrg("adopt");
    await append(org, batchOf([event(1)]));
    await untilProjected(org);
    breakSegments(org, "put", "failed but stored", { times: 1 });
    await archiveDue(org);
    // Something else under a name like a segment's is no segment of this ledger.
    const log = (await statusOf(org)).log;
    const other = `seg/${log}/0000000002-0000000002-${"0".repeat(64)}.ndjson.gz`;
    await env.ARCHIVE.put(other, "x\n");
    await evict(org);
    expect(await refusalOf(org, batchOf([event(2)]))).toMatchObject({ detail: expect.stringContaining("rewound") });
    await env.ARCHIVE.delete(other);
    expect(await wake(org)).toMatchObject({ archived: 2, projected: 2 });
    await checkLedger(org, { archived: true });
  });
});

describe("a ledger that was rewound", () => {
  it("refuses appends and says so while D1, which may hold more than R2, does not answer", async () => {
    const org = await createOrg("r2");
    await append(org, batchOf([event(1)]));
    await archiveDue(org);
    await append(org, batchOf([event(2)]));
    await archiveDue(org);
    await rewind(org, 2);
    const d1 = breakD1();
    const refused = await call("POST", `/v1/orgs/${org}/events`, { body: event(3) });
    expect([refused.status, refused.json.code]).toEqual([503, "overloaded"]);
    expect(refused.json.detail).toContain("The ledger was rewound and waits for D1 and R2");
    expect(await statusOf(org)).toMatchObject({ size: 2, ingestion: "overloaded", refusal: refused.json.detail });
    d1.restore();
    expect(await refusalOf(org)).toBe(null);
    await checkLedger(org, { archived: true });
  });

  it("is found out though R2 holds many older segments that it still has staged", async () => {
    const org = await createOrg("many");
    for (let n = 0; n < 15; n++) {
      await append(org, batchOf([event(n)]));
      await archiveDue(org);
    }
    const { entries } = await checkLedger(org, { archived: true });
    await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
      storage.sql.exec("delete from segment where first >= 1");
      storage.sql.exec("delete from staged");
      storage.sql.exec("delete from tree");
      for (const { index, line, hash, sequencedAt } of entries.slice(1, 14)) {
        const bytes = Buffer.byteLength(line) + 1;
        storage.sql.exec(
          "insert into staged (first, count, bytes, head, sequenced_at, lines) values (?, 1, ?, ?, ?, ?)",
          ...[index, bytes, hash, Date.parse(sequencedAt), line],
        );
      }
    });
    await evict(org);
    const d1 = breakD1();
    expect(await refusalOf(org)).toMatchObject({ detail: expect.stringContaining("rewound") });
    d1.restore();
    expect(await refusalOf(org)).toBe(null);
    await checkLedger(org, { archived: true });
  });

  it("is found out as soon as D1 answers, when it did not at the start", async () => {
    const org = await createOrg("late");
    await append(org, batchOf([event(1)]));
    await append(org, batchOf([event(2), event(3), event(4)]));
    await untilProjected(org);
    const d1 = breakD1();
    await rewind(org, 2);
    expect(await refusalOf(org, batchOf([event(5)]))).toBe(null);
    d1.restore();
    await wake(org);
    expect(await refusalOf(org)).toMatchObject({ detail: expect.stringContaining("D1 holds newer entries") });
    expect(await statusOf(org)).toMatchObject({ size: 3, ingestion: "overloaded" });
  });
});
