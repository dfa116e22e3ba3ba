import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { archiveDue, checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakMethod, evict, restoreFaults } from "../support/faults.ts";
import { placementOf } from "../support/lost-org.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { setBack } from "../support/set-back.ts";
import { strand } from "../support/strand.ts";

afterEach(restoreFaults);

const proceed = (org: string, body: unknown = { reason: "gone for good" }) =>
  call("POST", `/v1/orgs/${org}/continue`, { body });
const report = async (org: string, path: string) => {
  const { text } = await call("GET", `/v1/orgs/${org}/${path}`);
  return JSON.parse(text.trimEnd().split("\n").at(-1) ?? "");
};

const COSIGNATURE = "\u2014 witness.test/w AAAA\n";

describe("a log that is continued, in bad times", () => {
  it("takes the old log over again first when its ledger is rewound further: what it knew of keys and ids stays", async () => {
    const org = await createOrg("p1");
    const key = (await call("POST", `/v1/orgs/${org}/keys`, { body: { name: "k", scopes: ["events:append"] } })).json;
    const snapshot = await snapshotOf(org);
    await call("DELETE", `/v1/orgs/${org}/keys/${key.id}`);
    await append(org, batchOf([event(1, { id: "a-1" })]));
    await untilProjected(org);
    await archiveDue(org);
    const { log } = await strand(org);
    expect((await proceed(org)).status).toBe(201);
    await append(org, batchOf([event(2, { id: "b-1" })]));
    await untilProjected(org);
    await archiveDue(org);
    await rewindTo(org, snapshot);
    expect((await refusalOf(org))?.detail).toContain(`continued as ${log}/2`);
    const again = await proceed(org);
    expect(again.status, again.text).toBe(201);
    const used = await call("POST", `/v1/orgs/${org}/events`, { body: event(3), key: key.key });
    expect(used.status).toBe(401);
    expect((await append(org, batchOf([event(1, { id: "a-1" })]))).receipts).toMatchObject([{ duplicate: true, log }]);
    await checkLedger(org, { archived: true });
  });

  it("has copied all it holds of the old log to D1 before the new one begins", async () => {
    const org = await createOrg("p3");
    const snapshot = await snapshotOf(org);
    for (let n = 0; n < 3; n++) {
      await append(org, batchOf([event(n, { id: `a-${n}` }), event(10 + n)]));
      await untilProjected(org);
      await archiveDue(org);
    }
    await later(61_000, () => wake(org));
    const { segments } = await readLedger(org);
    await env.ARCHIVE.delete(segments.at(-1)?.name ?? "");
    const { cell, org_number } = await placementOf(org);
    await rewindTo(org, snapshot);
    await setBack(cell, { org_number, to: 1 });
    expect((await refusalOf(org))?.detail).toContain("in no store");
    expect((await proceed(org)).status).toBe(201);
    expect(await report(org, "1/verify")).toMatchObject({ ok: true, breaks: [], checked: 5 });
    expect((await call("GET", `/v1/orgs/${org}/events/a-0`)).status).toBe(200);
  });

  it("is continued though segments below its head are gone, with the leaves D1 still has", async () => {
    const org = await createOrg("p5");
    await append(org, batchOf([event(1), event(2)]));
    await untilProjected(org);
    await archiveDue(org);
    await later(61_000, () => wake(org));
    await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
      storage.sql.exec("delete from staged");
      storage.sql.exec("insert into cosignature (witness, size, line, at) values ('w', 3, ?, 0)", COSIGNATURE);
    });
    const { segments } = await readLedger(org);
    expect((await statusOf(org)).published).toBe(3);
    for (const { name } of segments) await env.ARCHIVE.delete(name);
    await evict(org);
    const { cell, org_number } = await placementOf(org);
    await cell.prepare("update cursor set next = 5 where org_number = ?1").bind(org_number).run();
    expect((await refusalOf(org))?.detail).toContain("in no store");
    const answer = await proceed(org);
    expect(answer.status, answer.text).toBe(201);
    expect((await call("GET", `/v1/orgs/${org}/1/events/1`)).status).toBe(200);
    // Nor are witnesses asked for it again.
    expect((await call("GET", `/v1/orgs/${org}/1/checkpoint`)).text.endsWith(`\n${COSIGNATURE}`)).toBe(true);
    expect((await call("GET", `/v1/orgs/${org}/1/tile/entries/000.p/3`)).status).toBe(200);
  });

  it("does not begin the new log a second time while a store that may hold it does not answer", async () => {
    const org = await createOrg("p7");
    await untilProjected(org);
    const before = await snapshotOf(org);
    const { log } = await strand(org);
    const snapshot = before;
    expect((await proceed(org)).status).toBe(201);
    await append(org, batchOf([event(2, { id: "b-1" })]));
    await untilProjected(org);
    await archiveDue(org);
    await rewindTo(org, snapshot);
    const { results } = await env.CELL_0.prepare("select 1").all();
    expect(results.length).toBe(1);
    for (const cell of [env.CELL_0, env.CELL_1]) {
      const number = await cell
        .prepare("select org_number from org_number where log = ?1")
        .bind(`${log}/2`)
        .first<number>("org_number");
      if (number !== null) await setBack(cell, { org_number: number, to: 0 });
    }
    const broken = breakMethod(env.ARCHIVE, "list", "failed", {
      when: ([of]) => String(of.prefix) === `seg/${log}/2/`,
    });
    const answer = await proceed(org);
    expect(answer.status, answer.text).toBe(503);
    broken.restore();
    expect((await proceed(org)).status).toBe(201);
    expect((await append(org, batchOf([event(2, { id: "b-1" })]))).receipts).toMatchObject([{ duplicate: true }]);
  });

  it("tells the directory of the new log, should it not have been told when it began", async () => {
    const org = await createOrg("p9");
    await untilProjected(org);
    const { log } = await strand(org);
    expect((await proceed(org)).status).toBe(201);
    await env.DIRECTORY.prepare("delete from placement where org = ?1 and log = ?2").bind(org, `${log}/2`).run();
    await evict(org);
    await append(org);
    const rows = await env.DIRECTORY.prepare("select log from placement where org = ?1")
      .bind(org)
      .all<{ log: string }>();
    expect(rows.results.map((row) => row.log)).toEqual([log, `${log}/2`]);
  });

  it("is not continued while what is missing may be in a store that does not answer", async () => {
    const org = await createOrg("p14");
    await untilProjected(org);
    await archiveDue(org);
    const snapshot = await snapshotOf(org);
    await append(org, batchOf([event(1)]));
    await untilProjected(org);
    await later(50_000, () => archiveDue(org));
    const { log } = (await readLedger(org)).org;
    for (const { key } of (await env.ARCHIVE.list({ prefix: `tree/${log}/checkpoint` })).objects)
      await env.ARCHIVE.delete(key);
    const { cell, org_number } = await placementOf(org);
    await rewindTo(org, snapshot);
    await setBack(cell, { org_number, to: 1 });
    const broken = breakMethod(env.ARCHIVE, "get", "failed");
    const answer = await proceed(org);
    expect(answer.status, answer.text).toBe(503);
    broken.restore();
    expect(await refusalOf(org)).toBe(null);
  });
});
