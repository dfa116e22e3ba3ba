import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { putSegment } from "../../src/archive/segment.ts";
import { absenceListText } from "../../src/chain/absence-list.ts";
import type { EntryRecord } from "../../src/chain/record.ts";
import { redactLine } from "../../src/chain/redact.ts";
import { absenceCauseOf } from "../../src/schema/keep.ts";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, statusOf, untilProjected } from "../support/check-ledger.ts";
import { call, event } from "../support/client.ts";
import { dropArchived, evict, restoreFaults } from "../support/faults.ts";
import { linesOf } from "../support/owner.ts";
import { cellOf, TABLES, verified } from "../support/tamper.ts";
import { archivedOrg, begun, byJane, carriedOut, JANE } from "./support.ts";

afterEach(restoreFaults);

const EVENTS = [event(1), byJane(2), event(3), byJane(4), event(5)];
const LIST = new Map([
  [2, ["actor", "actor/detail"]],
  [4, ["actor", "actor/detail", "note"]],
]);

async function lineOf(org: string, index: number) {
  return JSON.parse((await linesOf(org))[index] ?? "null") as EntryRecord;
}

describe("a removal", () => {
  it("takes what its list names out of segments, staged rows and D1, and leaves all else as it was", async () => {
    const org = await archivedOrg(EVENTS);
    const before = await checkLedger(org, { archived: true });
    const removal = await begun(org, LIST);
    const progress = await carriedOut(org, removal);
    expect(progress).toMatchObject({ at: "done", held: 0 });
    const { entries, ledger, objects } = await checkLedger(org, { archived: true });
    for (const { index, hash, sections } of before.entries) {
      const entry = entries[index];
      expect(entry?.hash).toBe(hash);
      const gone = LIST.get(index) ?? [];
      expect(entry?.gone).toEqual(gone);
      expect(Object.keys(entry?.sections ?? {})).toEqual(Object.keys(sections).filter((name) => !gone.includes(name)));
    }
    expect(objects).toEqual(ledger.segments.map(({ name }) => name));
    expect(objects).not.toContain(before.objects[0]);
    const cause = entries[removal.by];
    expect(cause).toMatchObject({ action: "indelible.erasure.begun", source: "service" });
    const list = { sha256: removal.list, entries: 2, sections: 5 };
    expect(JSON.parse(cause?.sections["metadata"]?.text ?? "")).toEqual({ list });
    expect(JSON.stringify(cause)).not.toContain(JANE.id);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  });

  it("is served with its list, under the rule of tiles", async () => {
    const org = await archivedOrg(EVENTS);
    const { list } = await begun(org, LIST);
    const path = `/v1/orgs/${org}/absences/${list}`;
    const served = await call("GET", path);
    expect([served.status, served.text]).toEqual([200, absenceListText(LIST)]);
    expect(served.headers.get("cache-control")).toBe("private, max-age=31536000, immutable");
    expect((await call("GET", `/v1/orgs/${org}/1/absences/${list}`)).text).toBe(served.text);
    expect((await call("GET", path, { key: null })).status).toBe(401);
    expect((await call("GET", path.replace(list, "0".repeat(64)))).status).toBe(404);
    expect((await call("GET", path.replace(list, list.toUpperCase()))).status).toBe(404);
    const settings = await call("PUT", `/v1/orgs/${org}`, { body: { public_log: true } });
    expect(settings.status, settings.text).toBeLessThan(300);
    const open = await call("GET", path, { key: null });
    expect([open.status, open.headers.get("cache-control")]).toEqual([200, "public, max-age=31536000, immutable"]);
  });

  it("takes rows out of slots of other months as well, once these are known to be merged", async () => {
    const org = await archivedOrg(EVENTS);
    const cell = await cellOf(org);
    const other = TABLES.find((table) => table !== cell.table) ?? "";
    const term = other.replace("entry_", "term_");
    const copy = `insert into ${other} (key, record) select key, record from ${cell.table} where key in (?, ?)`;
    await cell.db
      .prepare(copy)
      .bind(cell.base + 2, cell.base + 3)
      .run();
    await cell.db
      .prepare(`insert into ${term} (rowid, x) values (?, 'hers')`)
      .bind(cell.base + 4)
      .run();
    const { slots } = await carriedOut(org, await begun(org, LIST));
    expect(slots).toEqual([]);
    const keysIn = async (table: string, column: string) => {
      const sql = `select ${column} - ?1 as at from ${table} where ${column} between ?1 and ?1 + 9`;
      return (await cell.db.prepare(sql).bind(cell.base).all<{ at: number }>()).results.map(({ at }) => at);
    };
    // What is of nobody who was listed is for a repair.
    expect(await keysIn(other, "key")).toEqual([3]);
    expect(await keysIn(`${term}_docsize`, "id")).toEqual([]);
  });

  it("leaves entries to be found by what is left of them, and by nothing that went", async () => {
    const org = await archivedOrg(EVENTS);
    const find = async (query: string) => {
      const listed = await call("GET", `/v1/orgs/${org}/events?source=client&order=asc&${query}`);
      return listed.json.data.map(({ index }: { index: number }) => index);
    };
    expect(await find(`actor=${JANE.id}`)).toEqual([2, 4]);
    await carriedOut(org, await begun(org, LIST));
    expect(await find(`actor=${JANE.id}`)).toEqual([]);
    expect(await find("q=Roe-4711")).toEqual([]);
    expect(await find("action=document.share")).toEqual([1, 2, 3, 4, 5]);
    expect((await call("GET", `/v1/orgs/${org}/events/jane-2`)).json).toMatchObject({
      index: 2,
      actor: { type: "user", id: null },
      absent: [{ section: "actor", cause: "erased" }, { section: "actor/detail" }],
    });
  });

  it("forgets what was sent: an event sent again is known by its id alone, also where that went with its note", async () => {
    const org = await archivedOrg(EVENTS);
    const again = (n: number) => call("POST", `/v1/orgs/${org}/events`, { body: { ...byJane(n), reason: "another" } });
    for (const n of [2, 4]) expect((await again(n)).status).toBe(409);
    await carriedOut(org, await begun(org, LIST));
    for (const n of [2, 4]) {
      const answer = await again(n);
      expect([answer.status, JSON.stringify(answer.json).includes(`"duplicate":true`)]).toEqual([201, true]);
    }
    await untilProjected(org);
    const { ledger } = await checkLedger(org);
    expect(ledger.ids.map(({ id }) => id)).toEqual(["jane-2", expect.stringMatching(/^~[\w-]{43}$/)]);
  });

  it("is gone from D1 after a rebuild from segments, and from one out of staged rows", async () => {
    const org = await archivedOrg(EVENTS);
    await carriedOut(org, await begun(org, LIST));
    for (const drop of [false, true]) {
      if (drop) await dropArchived(org);
      const rebuilt = await call("POST", `/v1/orgs/${org}/rebuild`);
      expect(rebuilt.status, rebuilt.text).toBe(202);
      await untilProjected(org);
      const { entries } = await checkLedger(org, { archived: true });
      expect(entries[4]?.gone).toEqual(LIST.get(4));
    }
  });

  it("done twice, by two at once, or by a second cause, is the same", async () => {
    const org = await archivedOrg(EVENTS);
    const removal = await begun(org, LIST, { once: "one job" });
    expect(await begun(org, LIST, { once: "one job" })).toEqual(removal);
    await Promise.all([carriedOut(org, removal), carriedOut(org, removal)]);
    const { entries } = await checkLedger(org, { archived: true });
    await carriedOut(org, removal);
    const other = await begun(org, LIST, { cause: "expired" });
    await carriedOut(org, other);
    const after = await checkLedger(org, { archived: true });
    expect(after.entries.slice(0, 5).map(({ line }) => line)).toEqual(entries.slice(0, 5).map(({ line }) => line));
  });

  it("leaves what a hold keeps, and what is kept by one that is placed meanwhile", async () => {
    const org = await archivedOrg(EVENTS);
    const covers = ({ index }: { index: number }) => index === 4;
    const progress = await carriedOut(org, await begun(org, LIST), { holds: async () => ({ version: 0, covers }) });
    expect(progress).toMatchObject({ at: "done", held: 1 });
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.map(({ gone }) => gone.length)).toEqual([0, 0, 2, 0, 0, 0, 0]);
    // The ledger's holds are of another version than those that were asked: nothing goes.
    const removal = await begun(org, LIST);
    const stale = async () => ({ version: 7, covers: () => false });
    await expect(carriedOut(org, removal, { holds: stale })).rejects.toThrow("a removal ends");
    expect((await lineOf(org, 4)).absent).toBeUndefined();
    // What was put for nothing is swept away by the next round.
    await carriedOut(org, removal, { holds: async () => ({ version: 0, covers }) });
    expect((await checkLedger(org, { archived: true })).entries[4]?.gone).toEqual([]);
  });

  it("sweeps what nobody named, and nothing the ledger names, however many small segments lie beside it", async () => {
    const org = await archivedOrg([event(1)]);
    for (let n = 2; n <= 24; n++) {
      await append(org, batchOf([byJane(n)]));
      await untilProjected(org);
      await archiveDue(org);
    }
    const { ledger: before } = await checkLedger(org, { archived: true });
    expect(before.segments.length).toBeGreaterThan(20);
    const { log } = await statusOf(org);
    const stray = { log, first: 0, lines: await linesOf(org), headMac: null };
    const { name } = await putSegment(env.ARCHIVE, stray);
    await carriedOut(org, await begun(org, new Map([[23, ["actor", "actor/detail"]]])));
    await untilProjected(org);
    await archiveDue(org);
    const { objects, ledger } = await checkLedger(org, { archived: true });
    expect(objects).not.toContain(name);
    expect(objects).toEqual(ledger.segments.map((segment) => segment.name));
  });

  it("takes away no copy that nobody named where the one the ledger names cannot be read", async () => {
    const org = await archivedOrg(EVENTS);
    const { objects } = await checkLedger(org, { archived: true });
    const removal = await begun(org, LIST);
    // As a step leaves it that died before the ledger's word; then the named one is damaged.
    const lines = (await linesOf(org)).slice(0, EVENTS.length + 1);
    const redacted = lines.map((line, index) => redactLine(line, LIST.get(index) ?? [], absenceCauseOf(removal)));
    const copy = { log: (await statusOf(org)).log, first: 0, lines: redacted, headMac: null };
    const { name } = await putSegment(env.ARCHIVE, copy);
    await env.ARCHIVE.put(objects[0] as string, "other bytes");
    expect(await carriedOut(org, removal)).toMatchObject({ at: "done", unreadable: 2 });
    expect(await env.ARCHIVE.head(name)).not.toBeNull();
  });

  it("of an org whose ledger is evicted at any time goes on", async () => {
    const org = await archivedOrg(EVENTS);
    const removal = await begun(org, LIST);
    await evict(org);
    await carriedOut(org, removal);
    await evict(org);
    await checkLedger(org, { archived: true });
    expect((await statusOf(org)).refusal).toBeNull();
    expect(await env.ARCHIVE.head(`tree/${(await statusOf(org)).log}/absences/${removal.list}`)).not.toBeNull();
  });
});
