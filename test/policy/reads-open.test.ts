import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { OPEN_WISH_MS } from "../../src/limits.ts";
import { orgKey, platformKey, problemOf } from "../http/support.ts";
import { actsOf, saysOf } from "../query/support.ts";
import { later } from "../support/check-ledger.ts";
import { call, event } from "../support/client.ts";
import { evict } from "../support/faults.ts";
import { filled, rowAt, verified, write } from "../support/tamper.ts";
import { close, listStatus, orgOf, reads, reopen } from "./reads-support.ts";

const NO_BREAKS = { breaks: 0, breaks_sha256: null };
const ACCEPT = { accept_breaks: true };

/** The request an answer says comes next, made. */
async function follow(request: string): Promise<any> {
  const [method = "", path = ""] = request.split(" ");
  const answer = await call(method, path);
  return JSON.parse(answer.text.trim().split("\n").at(-1) as string);
}

/** A closed org one of whose rows was changed, and whose verification says so. */
async function broken() {
  const { org, cell } = await filled();
  const second = await orgKey(org, ["reads:write"]);
  await close(org);
  const { record } = await rowAt(cell, 5);
  await write(cell, 5, record.replace("because", "becausE"));
  expect(await verified(org)).toMatchObject({ ok: false, on_record: true });
  const mend = () => write(cell, 5, record);
  return { org, mend, second };
}

describe("opening reads", () => {
  it("needs a finished verification, since they were closed, of all that was in the log then", async () => {
    const org = await orgOf(3);
    expect(await verified(org)).toMatchObject({ ok: true, on_record: true });
    const closed = await close(org);
    const missing = [{ log: 1, from: 0, to: closed.json.window[0].to, request: `GET /v1/orgs/${org}/verify?from=0` }];
    expect(closed.json).toMatchObject({ verified: [], missing, pending: null });
    const problem = problemOf(await reopen(org), "conflict");
    expect(problem.detail).toContain(`GET /v1/orgs/${org}/verify?from=0`);
    expect(problem.errors).toHaveLength(1);
    problemOf(await reopen(org, ACCEPT), "conflict");
    await call("POST", `/v1/orgs/${org}/events`, { body: event(1) });
    expect(await verified(org)).toMatchObject({ ok: true, on_record: true });
    await evict(org);
    expect((await reads(org)).json).toMatchObject({
      missing: [],
      verified: [{ log: 1, from: 0, ok: true, by: "root" }],
    });
    expect((await reopen(org)).json).toEqual({ enabled: true });
    expect(await listStatus(org)).toBe(200);
    expect((await call("GET", `/v1/orgs/${org}/status`)).json.reads).toEqual({ state: "enabled", closed: [] });
    const [opened] = await actsOf(org, "indelible.reads.enabled");
    expect(saysOf(opened)).toMatchObject({
      of: "org",
      accepted_breaks: false,
      verified: [{ log: 1, from: 0, ok: true }],
    });
    expect((await reopen(org)).json).toEqual({ enabled: true });
    expect(await actsOf(org, "indelible.reads.enabled")).toHaveLength(1);
  });

  it("names a gap of one entry, and the request that closes it", async () => {
    const org = await orgOf(8);
    await close(org);
    const upper = await verified(org, "?from=5");
    expect(upper.on_record).toBe(true);
    const [gap] = (await reads(org)).json.missing;
    expect(gap).toMatchObject({ log: 1, from: 0, to: 5 });
    const { json: kept } = await reads(org);
    expect(kept.missing[0].request).toMatch(/verify\?from=0&to=5&expect=[A-Za-z0-9_-]{43}$/);
    const middle = kept.missing[0].request.replace("from=0", "from=1");
    expect(await follow(middle)).toMatchObject({ ok: true, on_record: true, from: 1 });
    const one = (await reads(org)).json.missing;
    expect(one).toMatchObject([{ log: 1, from: 0, to: 1 }]);
    problemOf(await reopen(org), "conflict");
    expect(await follow(one[0].request)).toMatchObject({ ok: true, on_record: true });
    expect((await reads(org)).json).toMatchObject({ missing: [], verified: [{ from: 0, ok: true }] });
    expect((await reopen(org)).status).toBe(200);
  });

  it("takes no run that rests on nothing, or on a hash its caller made up", async () => {
    const org = await orgOf(8);
    await close(org);
    expect(await verified(org, "?from=0&to=5")).toMatchObject({ on_record: false });
    expect(await verified(org, `?from=0&to=5&expect=${"A".repeat(43)}`)).toMatchObject({ on_record: false });
    await verified(org, "?from=5");
    expect(await verified(org, "?from=0&to=5")).toMatchObject({ on_record: false });
    expect(await verified(org, `?from=0&to=5&expect=${"A".repeat(43)}`)).toMatchObject({ on_record: false });
    expect((await reads(org)).json.missing).toMatchObject([{ from: 0, to: 5 }]);
  });

  it("asks for the window that was named alone, and for both when it is closed anew", async () => {
    const org = await orgOf(9);
    const first = await close(org, { window: { from: 7 } });
    await verified(org, "?from=7");
    expect((await close(org, { window: { from: 7 } })).json).toMatchObject({ since: first.json.since, missing: [] });
    expect((await reads(org)).json.missing).toEqual([]);
    const again = await close(org, { window: { from: 2, to: 3 } });
    expect(again.json).toMatchObject({ window: [{ log: 1, from: 2 }], verified: [] });
    await verified(org, "?from=7");
    expect((await reads(org)).json.missing).toMatchObject([{ from: 2, to: 7 }]);
    expect(await actsOf(org, "indelible.reads.disabled")).toHaveLength(2);
  });

  it("does not count a run that began before they were closed", async () => {
    const org = await orgOf(3);
    const ledger = env.ORG_LEDGER.getByName(org);
    const size = (await call("GET", `/v1/orgs/${org}/status`)).json.ingestion.size;
    const closed = await close(org);
    const run = {
      log: 1,
      from: 0,
      to: size,
      rests_on: "head" as const,
      prev: null,
      ok: true,
      ...NO_BREAKS,
      by: "root",
    };
    expect(await ledger.recordRun(org, { ...run, begun: { log: 1, size } })).toEqual({ ok: true, value: false });
    expect((await reads(org)).json.missing).toEqual(closed.json.missing);
    expect(await ledger.recordRun(org, { ...run, begun: { log: 1, size: size + 1 } })).toEqual({
      ok: true,
      value: true,
    });
    expect((await reopen(org)).status).toBe(200);
  });

  it("keeps few ranges, and lets the smallest go", async () => {
    const org = await orgOf(1);
    const ledger = env.ORG_LEDGER.getByName(org);
    const run = {
      log: 1,
      rests_on: "head" as const,
      prev: null,
      ok: true,
      ...NO_BREAKS,
      by: "root",
      begun: { log: 1, size: 9 },
    };
    await ledger.recordRun(org, { ...run, from: 1_000_000, to: 1_100_000 });
    for (let n = 0; n < 300; n++) await ledger.recordRun(org, { ...run, from: n * 2, to: n * 2 + 1 });
    const kept = await runInDurableObject(ledger, (_, { storage }) =>
      storage.sql.exec("select count(*) as count, max(past - first) as largest from verified").one(),
    );
    expect(kept).toEqual({ count: 256, largest: 100_000 });
  });
});

describe("opening reads in spite of breaks", () => {
  it("takes two keys, each with its reason", async () => {
    const { org, second } = await broken();
    const { key, id } = second;
    const problem = problemOf(await reopen(org), "conflict");
    expect(problem.errors?.[0]).toMatchObject({ pointer: "/accept_breaks" });
    const wished = await reopen(org, { ...ACCEPT, reason: "known and harmless" });
    expect(wished.status, wished.text).toBe(202);
    expect(wished.json).toMatchObject({ enabled: false, pending: { by: "root", reason: "known and harmless" } });
    await evict(org);
    problemOf(await reopen(org, ACCEPT), "conflict");
    expect(await listStatus(org)).toBe(503);
    problemOf(await reopen(org, {}, key), "conflict");
    const opened = await reopen(org, { ...ACCEPT, reason: "seen, and agreed" }, key);
    expect(opened.status, opened.text).toBe(200);
    expect(await listStatus(org)).toBe(200);
    const [wish] = await actsOf(org, "indelible.reads.enable_requested");
    const [open] = await actsOf(org, "indelible.reads.enabled");
    expect([wish?.actor?.id, open?.actor?.id]).toEqual(["root", id]);
    const log = 1;
    expect(saysOf(wish)).toMatchObject({ of: "org", accepts: [{ log, from: 0, breaks: 1 }] });
    expect(saysOf(open)).toMatchObject({
      accepted_breaks: true,
      requested_by: "root",
      verified: [{ ok: false, breaks: 1 }],
    });
    expect(open?.note).toEqual({ reason: "seen, and agreed" });
  });

  it("needs no second key once the breaks are repaired and all is verified again", async () => {
    const { org, mend } = await broken();
    await mend();
    expect(await verified(org)).toMatchObject({ ok: true, on_record: true });
    expect((await reopen(org)).status).toBe(200);
  });

  it("is not confirmed by a key that was made after reads were closed", async () => {
    const { org } = await broken();
    const made = [await orgKey(org, ["reads:write"]), await platformKey(["reads:write"])];
    expect((await reopen(org, ACCEPT)).status).toBe(202);
    for (const { key } of made) {
      problemOf(await reopen(org, ACCEPT, key), "conflict");
    }
    expect(await listStatus(org)).toBe(503);
  });

  it("falls with the key that wished it", async () => {
    for (const make of [(org: string) => orgKey(org, ["reads:write"]), () => platformKey(["reads:write"])]) {
      const { org } = await broken();
      const made = await make(org);
      expect((await reopen(org, ACCEPT, made.key)).status).toBe(202);
      const path = made.id.startsWith("ind_p") ? "/v1/keys" : `/v1/orgs/${org}/keys`;
      expect((await call("DELETE", `${path}/${made.id}`)).status).toBe(200);
      problemOf(await reopen(org, ACCEPT, made.key), "unauthorized");
      const answer = await reopen(org, ACCEPT);
      expect(answer.status, answer.text).toBe(202);
      expect(answer.json.pending.by).toBe("root");
      expect(await listStatus(org)).toBe(503);
    }
  });

  it("waits a day for the second key, and for the breaks that were seen alone", async () => {
    const { org, second } = await broken();
    const { key } = second;
    expect((await reopen(org, ACCEPT)).status).toBe(202);
    const late = await later(OPEN_WISH_MS, () => reopen(org, ACCEPT, key));
    expect(late.status, late.text).toBe(202);
    expect(late.json.pending.by).not.toBe("root");
  });
});
