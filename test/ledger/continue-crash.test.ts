import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { archiveDue, checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { abort, CELLS, evict, replaceMethod, restoreFaults } from "../support/faults.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { strand } from "../support/strand.ts";

afterEach(restoreFaults);

const proceed = (org: string) => call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "gone for good" } });

/** A published org of four entries whose ledger cannot go on. */
async function stranded() {
  const org = await createOrg("crash");
  await append(org, batchOf([event(1, { id: "a-1" }), event(2), event(3)]));
  await untilProjected(org);
  await later(61_000, () => wake(org));
  return { org, ...(await strand(org)) };
}

describe("a new log that is begun", () => {
  it("is begun once, whatever else is asked of the org meanwhile", async () => {
    const { org, log } = await stranded();
    const ledger = env.ORG_LEDGER.getByName(org);
    const get = (path: string) => call("GET", `/v1/orgs/${org}/${path}`);
    const calls = await Promise.all([
      proceed(org),
      ...Array.from({ length: 4 }, () => proceed(org)),
      ...[1, 2, 3].map((n) => refusalOf(org, batchOf([event(n, { id: `b-${n}` })], { batch: `batch-${n}` }))),
      ...["events", "verify", "1/verify", "checkpoint?min_size=5", "events/a-1"].map(get),
      ledger.wake(org),
      ledger.waitVisible(org, 9, 100),
      ledger.rebuild(org, { kind: "trusted", name: "root", scopes: ["operate"], orgs: "all" }),
      proceed(org),
    ]);
    expect(calls.slice(0, 5).filter((answer) => (answer as { status: number }).status === 201).length).toBe(1);
    for (const n of [1, 2, 3]) {
      await append(org, batchOf([event(n, { id: `b-${n}` })], { batch: `batch-${n}` }));
    }
    const { entries } = await checkLedger(org, { archived: true });
    expect(await statusOf(org)).toMatchObject({ log: `${log}/2`, earlier: [{ log, size: 4 }] });
    expect(entries.filter(({ action }) => action === "indelible.log.continued").length).toBe(1);
    expect(entries.filter(({ action }) => action === "document.share").length).toBe(3);
  });

  it("is begun by a further call, wherever the first one was killed", async () => {
    const { org, log } = await stranded();
    const snapshot = await snapshotOf(org);
    for (let calls = 0; calls <= 24; calls += 2) {
      let seen = 0;
      // Every question to R2 or a cell may be the last one.
      const hang = (original: any, args: any[]) => (++seen > calls ? new Promise(() => {}) : original(...args));
      for (const name of ["list", "get", "put"] as const) replaceMethod(env.ARCHIVE, name, hang);
      for (const cell of CELLS) replaceMethod(cell, "batch", hang);
      const hanging = proceed(org).catch(() => null);
      await expect
        .poll(() => seen > calls, { timeout: 1_000 })
        .toBe(true)
        .catch(() => null);
      await abort(org);
      await hanging;
      restoreFaults();
      if ((await statusOf(org)).log === log) expect((await proceed(org)).status).toBe(201);
      const { entries } = await checkLedger(org, { archived: true });
      expect(entries.filter(({ action }) => action === "indelible.log.continued").length).toBe(1);
      expect(await statusOf(org)).toMatchObject({ log: `${log}/2`, earlier: [{ log, size: 4 }] });
      await rewindTo(org, snapshot);
    }
  });

  it("is begun for the org of the platform like for any other", async () => {
    await call("POST", "/v1/keys", { body: { name: "k", scopes: ["operate"] } });
    await archiveDue("platform");
    const { log } = await strand("platform");
    expect((await call("POST", "/v1/keys", { body: { name: "k", scopes: ["operate"] } })).status).toBe(503);
    expect((await proceed("platform")).status).toBe(201);
    expect((await call("POST", "/v1/keys", { body: { name: "k", scopes: ["operate"] } })).status).toBe(201);
    expect(await statusOf("platform")).toMatchObject({ log: `${log}/2` });
  });
});

describe("an older log of an org", () => {
  it("is read under the number its cell has for it by now, where other rows may lie under the old one", async () => {
    const { org, log } = await stranded();
    await proceed(org);
    await untilProjected(org);
    const [cell, number] = await placeOf(log);
    const anew = number + 100_000;
    const move = (table: string, key: string) =>
      cell
        .prepare(`update ${table} set ${key} = ${key} + ?1 where ${key} >= ?2 and ${key} < ?3`)
        .bind((anew - number) * 2 ** 32, number * 2 ** 32, (number + 1) * 2 ** 32);
    await cell.batch([
      cell.prepare("update org_number set org_number = ?2 where org_number = ?1").bind(number, anew),
      cell.prepare("update cursor set org_number = ?2 where org_number = ?1").bind(number, anew),
      ...Array.from({ length: 16 }, (_, slot) => move(`entry_${String(slot).padStart(2, "0")}`, "key")),
    ]);
    await evict(org);
    await wake(org);
    expect((await call("GET", `/v1/orgs/${org}/1/events/1`)).json).toMatchObject({ log, index: 1, id: "a-1" });
    await evict(org);
    expect((await call("GET", `/v1/orgs/${org}/1/events/1`)).status).toBe(200);
  });

  it("is walked to its end by who began with an index of it", async () => {
    const { org, log } = await stranded();
    // While it is stuck nothing is read: the walk began before.
    await env.ARCHIVE.delete(`tree/${log}/checkpoint/0000000005`);
    const query = "events?after_index=0&order=asc&limit=1&action=document.share";
    const first = await call("GET", `/v1/orgs/${org}/${query}`);
    expect(first.json.data).toMatchObject([{ log, index: 1 }]);
    await untilProjected(org);
    await strand(org);
    expect((await proceed(org)).status).toBe(201);
    await append(org, batchOf([event(7), event(8)]));
    await untilProjected(org);
    const seen: unknown[] = [];
    for (let cursor = first.json.next_cursor; cursor !== null; ) {
      const { json } = await call("GET", `/v1/orgs/${org}/${query}&cursor=${cursor}`);
      seen.push(...json.data.map((entry: any) => [entry.log, entry.index]));
      cursor = json.next_cursor;
    }
    expect(seen).toEqual([
      [log, 2],
      [log, 3],
    ]);
  });
});

async function placeOf(log: string): Promise<[D1Database, number]> {
  for (const cell of CELLS) {
    const number = await cell
      .prepare("select org_number from org_number where log = ?1")
      .bind(log)
      .first<number>("org_number");
    if (number !== null) return [cell, number];
  }
  throw new Error(`${log} is in no cell`);
}
