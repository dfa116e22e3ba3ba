import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { COLD_PAGE_MAX_SEGMENTS, VERIFY_MAX_SEGMENTS } from "../../src/limits.ts";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, statusOf, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { coolOrg, filledOrg, fillMonth, rowsOf, setDay, splitSegments, sweep } from "../support/cool.ts";
import { CELLS, dropArchived, replaceMethod, restoreFaults } from "../support/faults.ts";
import { emptySlots } from "../support/only-slots.ts";
import { strand } from "../support/strand.ts";
import { verified } from "../support/tamper.ts";
import { entriesOf, list, walk } from "../query/support.ts";

beforeAll(emptySlots);
beforeEach(emptySlots);
afterEach(restoreFaults);
afterAll(() => {
  vi.useRealTimers();
});

/** What a key sees of clients' entries, without what is of the answer alone. */
async function seenBy(org: string, key: string, params: Record<string, string> = {}): Promise<unknown[]> {
  return (await walk(org, { limit: 10, ...params }, { keys: [key] })).entries.filter(
    ({ action }) => action === undefined || !action.startsWith("indelible."),
  );
}

describe("who may see some things only", () => {
  it("sees the same of cold months: through restricted tokens, without personal:read, under a quarantine", async () => {
    const org = await filledOrg(3, 7, { days: 2, each: 3 });
    setDay(10, 15);
    const window = { from: 4, to: 28, reason: "across the tiers" };
    const placed = await call("POST", `/v1/orgs/${org}/quarantines`, { body: window });
    expect(placed.status, placed.text).toBe(201);
    const key = await call("POST", `/v1/orgs/${org}/keys`, { body: { name: "plain", scopes: ["events:read"] } });
    const restriction = { target: { type: "document", id: "d_1" } };
    const actor = { type: "user", id: "viewer" };
    const token = await call("POST", `/v1/orgs/${org}/viewer-tokens`, {
      body: { actor, restriction, scopes: ["events:read"] },
    });
    expect([key.status, token.status], token.text).toEqual([201, 201]);
    const readers: Record<string, string> = { root: env.ROOT_KEY, plain: key.json.key, viewer: token.json.token };
    const asked = async () => {
      const answers: Record<string, unknown> = {};
      for (const [name, of] of Object.entries(readers)) {
        vi.setSystemTime(Date.now() + 1_000);
        answers[name] = await seenBy(org, of);
        answers[`${name}, words`] = await seenBy(org, of, { q: "login -result:failure" });
        answers[`${name}, category`] = await seenBy(org, of, { category: "login", order: "asc" });
        const got = await call("GET", `/v1/orgs/${org}/events/e-3-0`, { key: of });
        answers[`${name}, id`] = [got.status, got.json.index ?? null];
        const withheld = await call("GET", `/v1/orgs/${org}/events/e-4-1`, { key: of });
        answers[`${name}, id under quarantine`] = withheld.status;
      }
      return answers;
    };
    const before = await asked();
    expect(before["root, id under quarantine"]).toBe(404);
    for (let n = 0; n < 2; n++) await sweep();
    expect(await rowsOf(org, "2031-03")).toBe(0);
    const after = await asked();
    for (const [question, answer] of Object.entries(before)) expect(after[question], question).toEqual(answer);
  });
});

describe("an answer found by a grant from before a month left D1", () => {
  /** Lets the months that are over leave D1 just before an answer is looked for there. */
  function dropBeforeReading(): { drops: number } {
    const seen = { drops: 0 };
    const looks = ([statements]: any[]) =>
      statements.every(({ statement }: any) => /^\s*(select|with)\b/i.test(statement)) &&
      statements.some(({ statement }: any) => statement.includes("entry_"));
    for (const cell of CELLS) {
      replaceMethod(cell, "batch", async (original, args) => {
        if (seen.drops === 0 && looks(args)) {
          seen.drops++;
          for (let n = 0; n < 2; n++) await sweep();
        }
        return original(...args);
      });
    }
    return seen;
  }

  it.each([
    ["a list", "/events?before_index=4&source=client", "sealed"],
    ["an id", "/events/e-3-1", "sealed"],
    ["an index", "/events/2", "sealed"],
    ["a list whose trace is queued", "/events?before_index=4&source=client", "queued"],
  ])("does not leave: %s", async (_what, path, access_log) => {
    const org = await filledOrg(3, 7, { days: 1, each: 3 });
    if (access_log === "queued") await call("PUT", `/v1/orgs/${org}`, { body: { access_log } });
    setDay(10, 15);
    const before = await call("GET", `/v1/orgs/${org}${path}`);
    expect(before.status, before.text).toBe(200);
    const seen = dropBeforeReading();
    const refused = await call("GET", `/v1/orgs/${org}${path}`);
    expect([seen.drops, await rowsOf(org, "2031-03")]).toEqual([1, 0]);
    expect([refused.status, refused.json.code], refused.text).toEqual([503, "overloaded"]);
    restoreFaults();
    const after = await call("GET", `/v1/orgs/${org}${path}`);
    expect([after.status, after.json.data ?? after.json.id]).toEqual([200, before.json.data ?? before.json.id]);
  });

  it("takes no row for missing: a verification goes on in R2, a repair is asked for again", async () => {
    const org = await filledOrg(3, 7, { days: 1, each: 3 });
    setDay(10, 15);
    const seen = dropBeforeReading();
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    expect([seen.drops, await rowsOf(org, "2031-03")]).toEqual([1, 0]);
    restoreFaults();
    setDay(12, 15);
    const again = dropBeforeReading();
    const repaired = await call("POST", `/v1/orgs/${org}/repair`, { body: { reason: "a look" } });
    expect([again.drops, await rowsOf(org, "2031-07")]).toEqual([1, 0]);
    expect([repaired.status, repaired.json.code], repaired.text).toEqual([503, "overloaded"]);
    await checkLedger(org, { archived: true });
  });
});

describe("an entry that is cold", () => {
  it("is found by the id the service made among the newest segments, and beyond them by index alone", async () => {
    setDay(3, 2);
    const org = await createOrg("made");
    const ids: string[] = [];
    for (let n = 0; n < COLD_PAGE_MAX_SEGMENTS + 2; n++) {
      const { receipts } = await append(org, batchOf([event(n)]));
      ids.push(receipts[0]?.id ?? "");
      await archiveDue(org);
    }
    setDay(10, 15);
    for (let n = 0; n < 2; n++) await sweep();
    expect(await rowsOf(org, "2031-03")).toBe(0);
    const newest = await call("GET", `/v1/orgs/${org}/events/${ids.at(-1)}`);
    expect(newest.json, newest.text).toMatchObject({ id: ids.at(-1), index: ids.length });
    const oldest = await call("GET", `/v1/orgs/${org}/events/${ids[0]}`);
    expect([oldest.status, oldest.json.detail]).toEqual([404, expect.stringContaining("by its index")]);
    const soon = await call("GET", `/v1/orgs/${org}/events/evt_aaaaaaaaaaaaaaaaaaaaaaaa.0`);
    expect(soon.status, "not sequenced yet").toBe(404);
    expect((await call("GET", `/v1/orgs/${org}/events/1`)).json).toMatchObject({ id: ids[0] });
    expect((await call("GET", `/v1/orgs/${org}/events/nobody-sent-this`)).status).toBe(404);
    // A proof is of the entry wherever it is.
    expect((await call("GET", `/v1/orgs/${org}/events/1/proof`)).status).toBe(200);
  });

  it("that the archive has lost is answered as unreadable, by its index as in a list", async () => {
    const org = await filledOrg(3, 3, { days: 1, each: 3 });
    setDay(10, 15);
    await coolOrg(org);
    const { log } = await statusOf(org);
    const { objects } = await env.ARCHIVE.list({ prefix: `seg/${log}/` });
    await env.ARCHIVE.delete(objects.map(({ key }) => key));
    const listed = (await list(org, { before_index: 2 })).json.data.find(({ index }: any) => index === 1);
    const got = await call("GET", `/v1/orgs/${org}/events/1`);
    expect([got.status, got.json], got.text).toEqual([200, listed]);
    expect(got.json).toMatchObject({ index: 1, unreadable: expect.stringContaining("not this entry") });
    expect((await call("GET", `/v1/orgs/${org}/events/1/proof`)).status).toBe(422);
  });

  it("fills pages of bounded work: an empty page goes on where it ended", async () => {
    setDay(3, 2);
    const org = await createOrg("sparse");
    await append(org, batchOf([event(0, { actor: { type: "user", id: "rare" } })]));
    await archiveDue(org);
    for (let n = 0; n < COLD_PAGE_MAX_SEGMENTS; n++) {
      await append(org, batchOf([event(n)]));
      await archiveDue(org);
    }
    setDay(10, 15);
    await coolOrg(org);
    const page = await list(org, { actor: "rare" });
    expect(page.json).toMatchObject({ data: [], tier: "both", next_cursor: expect.any(String) });
    const { entries, pages } = await walk(org, { actor: "rare" });
    expect([entries.map(({ index }) => index), pages]).toEqual([[1], 2]);
  });
});

describe("a cold log of many small segments", () => {
  it("is verified some of them at a time, and statistics that would read too many are refused", async () => {
    setDay(3, 2);
    const org = await createOrg("small");
    await append(org, batchOf(Array.from({ length: 520 }, (_, n) => event(n))));
    await archiveDue(org);
    setDay(10, 15);
    await coolOrg(org);
    await splitSegments(org);
    const { cold_before, size } = await statusOf(org);
    expect(cold_before).toBeGreaterThan(520);
    const report = await verified(org);
    const from = cold_before - VERIFY_MAX_SEGMENTS;
    expect(report).toMatchObject({ ok: true, breaks: [], continue_from: from, checked: size - from });
    const rest = await verified(org, `?to=${from}&expect=${report.continue_expect}`);
    expect(rest).toMatchObject({ ok: true, breaks: [], continue_from: null, checked: from });
    const stats = await call("GET", `/v1/orgs/${org}/stats?group_by=actor&from=2031-03-01&to=2031-03-31`);
    expect([stats.status, stats.json.code]).toEqual([422, "unprocessable"]);
  });
});

describe("a log that was continued", () => {
  it("becomes cold with the one that continues it, and both are read and verified as before", async () => {
    const org = await filledOrg(3, 4, { days: 2, each: 3 });
    await strand(org);
    const continued = await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "stranded" } });
    expect(continued.status, continued.text).toBe(201);
    await fillMonth(org, 6, { days: 2, each: 3 });
    await fillMonth(org, 8, { days: 2, each: 3 });
    setDay(10, 15);
    const asked = async () => (await walk(org, { source: "client", limit: 5 })).entries;
    const before = await asked();
    expect(before).toHaveLength(24);
    for (let n = 0; n < 2; n++) await sweep();
    const { cold_before, earlier } = await statusOf(org);
    expect([cold_before > 0, earlier.length]).toEqual([true, 1]);
    for (const month of ["2031-03", "2031-04", "2031-06"]) expect(await rowsOf(org, month)).toBe(0);
    expect(await asked()).toEqual(before);
    expect((await call("GET", `/v1/orgs/${org}/events/e-3-0`)).json).toMatchObject({ id: "e-3-0", index: 1 });
    expect((await call("GET", `/v1/orgs/${org}/1/events/2`)).json).toMatchObject({ index: 2, id: "e-3-1" });
    expect((await call("GET", `/v1/orgs/${org}/events/e-6-0`)).json).toMatchObject({ id: "e-6-0" });
    for (const of of [org, `${org}/1`]) expect(await verified(of)).toMatchObject({ ok: true, breaks: [] });
    await checkLedger(org, { archived: true });
  });
});

describe("entries that are still staged", () => {
  it("are cold all the same once their segment is proven, and come out of the ledger as they were", async () => {
    const org = await filledOrg(3, 3, { days: 1, each: 4 });
    setDay(10, 15);
    await append(org, batchOf([event(1)]));
    await wake(org);
    await coolOrg(org);
    expect(await statusOf(org)).toMatchObject({ cold_before: 5 });
    expect(await entriesOf(org)).toHaveLength(7);
    await dropArchived(org);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    await checkLedger(org, { archived: true });
  });
});
