import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { genesisPrev } from "../../src/chain/genesis.ts";
import { base64url } from "../../src/chain/encoding.ts";
import { noteText } from "../../src/chain/note/note.ts";
import { ORG_MAX_LOGS } from "../../src/limits.ts";
import { sha256 } from "../../src/sha256.ts";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { archiveDue, checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakMethod, evict, restoreFaults } from "../support/faults.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { strand } from "../support/strand.ts";

afterEach(restoreFaults);

const proceed = (org: string, body: unknown = { reason: "its entries are gone for good" }) =>
  call("POST", `/v1/orgs/${org}/continue`, { body });

/** An org of six entries, published, whose ledger cannot go on. */
async function stranded() {
  const org = await createOrg("cont");
  await append(org, batchOf([event(1, { id: "a-1" }), event(2)], { batch: "first" }));
  await append(org, batchOf([event(3), event(4), event(5, { id: "a-5" })]));
  await untilProjected(org);
  await later(61_000, () => wake(org));
  const { published } = await statusOf(org);
  return { org, published, ...(await strand(org)) };
}

describe("a log that is continued", () => {
  it("begins anew under the next number, names the last checkpoint of the old one, and says who and why", async () => {
    const { org, log, note, size } = await stranded();
    const refusal = await refusalOf(org);
    expect(refusal?.detail).toContain("POST /v1/orgs/{org}/continue");
    const answer = await proceed(org);
    expect(answer.status, answer.text).toBe(201);
    expect(answer.json).toMatchObject({
      log: `${log}/2`,
      ingestion: { state: "accepting", size: 1, refusal: null },
      earlier: [{ log, size: 6, published: size }],
    });
    await append(org, batchOf([event(6), event(7)]));
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries).toHaveLength(3);
    const { leaf: leafText, sections } = JSON.parse(entries[0]?.line ?? "");
    const leaf = JSON.parse(leafText);
    const prev = genesisPrev(sha256, { origin: `${log}/2`, predecessor: noteText(note) });
    expect(leaf).toMatchObject({ index: 0, log: `${log}/2`, prev: base64url(prev), source: "service" });
    expect(JSON.parse(sections.note.text)).toEqual({ reason: "its entries are gone for good" });
    expect(JSON.parse(sections.metadata.text)).toMatchObject({
      number: 2,
      continues: { log, checkpoint: { size }, held: 6, because: "entry 6 is in no store" },
    });
  });

  it("is refused to who may not, without a reason, and for a log that takes entries", async () => {
    const { org } = await stranded();
    expect((await proceed(org, {})).status).toBe(400);
    expect((await proceed(org, { reason: " " })).status).toBe(400);
    expect((await call("POST", `/v1/orgs/${org}/continue`, { key: "ind_none", body: { reason: "x" } })).status).toBe(
      401,
    );
    expect((await proceed(org)).status).toBe(201);
    const again = await proceed(org);
    expect([again.status, again.json.detail]).toEqual([
      409,
      "The log is whole and takes entries: there is nothing to continue.",
    ]);
    expect((await readLedger(org)).org.log).toMatch(/\/2$/);
  });

  it("is not begun while a store does not answer, and nothing is changed then", async () => {
    const { org, log } = await stranded();
    expect((await refusalOf(org))?.code).toBe("overloaded");
    for (const [store, method] of [
      [env.ARCHIVE, "list"],
      [env.ARCHIVE, "get"],
    ] as const) {
      const broken = breakMethod(store, method, "failed");
      expect((await proceed(org)).status).toBe(503);
      broken.restore();
    }
    expect((await readLedger(org)).org.log).toBe(log);
    expect((await proceed(org)).status).toBe(201);
    await checkLedger(org, { archived: true });
  });

  it("is the last when the org has as many as can be numbered", async () => {
    const { org, log } = await stranded();
    await proceed(org);
    await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
      for (let number = 2; number < ORG_MAX_LOGS; number++) {
        storage.sql.exec(
          "insert into earlier_log select ?, state, edge, leaves from earlier_log where number = 1",
          number,
        );
      }
    });
    await strand(org);
    const { status, json } = await proceed(org);
    expect([status, json.detail]).toEqual([422, "An org has at most 99 logs."]);
    expect((await readLedger(org)).org.log).toBe(`${log}/2`);
  });

  it("keeps receipts for ever: what was sent to the old log is not sealed in the new one", async () => {
    const { org, log } = await stranded();
    await proceed(org);
    const batch = batchOf([event(1, { id: "a-1" }), event(2)], { batch: "first" });
    const { receipts } = await append(org, batch);
    expect(receipts).toMatchObject([
      { id: "a-1", index: 1, log, duplicate: false },
      { index: 2, log, duplicate: false },
    ]);
    const mixed = await append(org, batchOf([event(5, { id: "a-5" }), event(8, { id: "b-8" })]));
    expect(mixed.receipts).toMatchObject([
      { id: "a-5", index: 5, log, duplicate: true },
      { id: "b-8", index: 1, duplicate: false },
    ]);
    expect(mixed.receipts[1]).not.toHaveProperty("log");
    await evict(org);
    const later2 = await append(org, batchOf([event(8, { id: "b-8" })]));
    expect(later2.receipts).toMatchObject([{ id: "b-8", index: 1, duplicate: true }]);
    expect((await statusOf(org)).size).toBe(2);
    await checkLedger(org, { archived: true });
  });

  it("is read, page by page, in all its logs, newest first or oldest", async () => {
    const { org, log } = await stranded();
    await proceed(org);
    await append(org, batchOf([event(6), event(7)]));
    await untilProjected(org);
    const walk = async (order: string) => {
      const seen: string[] = [];
      let cursor = "";
      do {
        const query = `events?order=${order}&limit=2&action=document.share${cursor}`;
        const { json } = await call("GET", `/v1/orgs/${org}/${query}`);
        for (const { log: of, index } of json.data) seen.push(`${of === log ? 1 : 2}:${index}`);
        cursor = json.next_cursor === null ? "" : `&cursor=${json.next_cursor}`;
      } while (cursor !== "");
      return seen;
    };
    const all = ["1:1", "1:2", "1:3", "1:4", "1:5", "2:1", "2:2"];
    expect(await walk("asc")).toEqual(all);
    expect(await walk("desc")).toEqual(all.toReversed());
  });

  it("gives an entry by id wherever it is, and by index in the log whose URL is asked", async () => {
    const { org, log } = await stranded();
    await proceed(org);
    await append(org, batchOf([event(6, { id: "b-6" })]));
    const get = async (path: string) => (await call("GET", `/v1/orgs/${org}/${path}`)).json;
    expect(await get("events/a-5")).toMatchObject({ log, index: 5 });
    expect(await get("events/b-6")).toMatchObject({ log: `${log}/2`, index: 1 });
    expect(await get("events/1")).toMatchObject({ log: `${log}/2`, index: 1 });
    expect(await get("1/events/1")).toMatchObject({ log, index: 1, id: "a-1" });
    expect(await get("2/events/1")).toMatchObject({ log: `${log}/2`, index: 1 });
    for (const path of ["1/events/b-6", "3/events/1", "0/events/1", "01/events/1"]) {
      expect((await get(path)).code).toBe("not_found");
    }
  });

  it("says in the trace of a read which log was asked, and no index of another one", async () => {
    const { org } = await stranded();
    await proceed(org);
    for (const path of ["1/events/1", "events/a-5", "1/verify"]) {
      expect((await call("GET", `/v1/orgs/${org}/${path}`)).status).toBe(200);
    }
    const { entries } = await checkLedger(org);
    const reads = entries.filter(({ action }) => action === "indelible.read").map(({ sections }) => sections);
    expect(
      reads.map(({ note, metadata }) => [JSON.parse(note?.text ?? "").query, JSON.parse(metadata?.text ?? "").range]),
    ).toEqual([
      ["event=1&log=1", null],
      ["event=a-5", null],
      ["from=0&to=head&log=1", null],
    ]);
  });

  it("is verified log by log", async () => {
    const { org, log } = await stranded();
    await proceed(org);
    await untilProjected(org);
    const report = async (path: string) => {
      const { text } = await call("GET", `/v1/orgs/${org}/${path}`);
      return JSON.parse(text.trimEnd().split("\n").at(-1) ?? "");
    };
    expect(await report("1/verify")).toMatchObject({ ok: true, log, checked: 6, breaks: [] });
    expect(await report("verify")).toMatchObject({ ok: true, log: `${log}/2`, breaks: [] });
    const [placement] = (await readLedger(org)).placements;
    const cell = env[placement?.cell as "CELL_0"];
    const first = await cell
      .prepare("select org_number from org_number where log = ?1")
      .bind(log)
      .first<number>("org_number");
    for (let slot = 0; slot < 16; slot++) {
      const table = `entry_${String(slot).padStart(2, "0")}`;
      await cell
        .prepare(`delete from ${table} where key = ?1`)
        .bind((first ?? 0) * 2 ** 32 + 3)
        .run();
    }
    expect(await report("1/verify")).toMatchObject({ ok: false, breaks: [{ kind: "missing", index: 3 }] });
    expect(await report("2/verify")).toMatchObject({ ok: true, breaks: [] });
  });

  it("is rolled forward, not begun again, when its ledger is rewound to before it was continued", async () => {
    const { org, log, note } = await stranded();
    const snapshot = await snapshotOf(org);
    await proceed(org);
    await append(org, batchOf([event(6, { id: "b-6" }), event(7)]));
    await untilProjected(org);
    await archiveDue(org);
    await rewindTo(org, snapshot);
    expect((await refusalOf(org))?.detail).toContain(
      `The ledger was rewound to before its log was continued as ${log}/2.`,
    );
    // Also when what was missing is there again: two logs would grow at once.
    await env.ARCHIVE.delete(`tree/${log}/checkpoint/0000000007`);
    expect((await refusalOf(org))?.detail).toContain(`${log}/2 is not in its storage`);
    await env.ARCHIVE.put(`tree/${log}/checkpoint/0000000007`, note);
    const answer = await proceed(org);
    expect(answer.status, answer.text).toBe(201);
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.map(({ action }) => action)).toEqual([
      "indelible.log.continued",
      "document.share",
      "document.share",
      "indelible.log.restored",
    ]);
    const { receipts } = await append(org, batchOf([event(6, { id: "b-6" })]));
    expect(receipts).toMatchObject([{ id: "b-6", index: 1, duplicate: true }]);
    expect(await statusOf(org)).toMatchObject({ log: `${log}/2`, earlier: [{ log }] });
  });
});
