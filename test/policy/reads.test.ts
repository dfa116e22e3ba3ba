import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { READS_CLOSED_RETRY_SECONDS } from "../../src/limits.ts";
import { SCOPES } from "../../src/schema/caller.ts";
import { orgKey, platformKey, problemOf } from "../http/support.ts";
import { actsOf, saysOf, sizeOf } from "../query/support.ts";
import { breakSequencing, evict, replaceMethod, restoreFaults } from "../support/faults.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { verified } from "../support/tamper.ts";
import { close, listStatus, orgOf, putReads, reads, reopen, WHY } from "./reads-support.ts";

afterEach(restoreFaults);

const bound = () => exports.AuditLog({ props: { name: "shop-api", orgs: "*", scopes: [...SCOPES] } });

describe("an org whose reads are closed", () => {
  it("answers no entry by any path, and says since when and why", async () => {
    const org = await orgOf(3);
    await call("GET", `/v1/orgs/${org}/checkpoint?min_size=4`);
    const closed = await close(org);
    const told = { of: "org", since: closed.json.since, reason: WHY };
    for (const path of ["events", "events/1", "events/e-1", "events/e-1/proof", "1/events/1", "1/events/1/proof"]) {
      const answer = await call("GET", `/v1/orgs/${org}/${path}`);
      expect(problemOf(answer, "reads_disabled"), path).toMatchObject({ reads: told });
      expect(answer.headers.get("retry-after")).toBe(String(READS_CLOSED_RETRY_SECONDS));
      expect(answer.json.detail).toContain(WHY);
    }
    const size = await sizeOf(org);
    for (const answer of [await bound().list(org), await bound().get(org, 1), await bound().prove(org, 1)]) {
      expect(answer).toMatchObject({ ok: false, refusal: { code: "reads_disabled", reads: told } });
    }
    expect(await sizeOf(org)).toBe(size);
    expect((await call("GET", `/v1/orgs/${org}/status`)).json.reads).toEqual({ state: "disabled", closed: [told] });
    await checkLedger(org, { archived: true });
  });

  it("takes events, and serves its tree, settings, keys, verification and repair as before", async () => {
    const org = await orgOf(3);
    await close(org);
    const appended = await Promise.all(
      Array.from({ length: 40 }, (_, n) => call("POST", `/v1/orgs/${org}/events`, { body: event(n) })),
    );
    expect(new Set(appended.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await bound().append(org, event(1))).toMatchObject({ ok: true });
    const queued = await call("POST", `/v1/orgs/${org}/events`, {
      body: event(2),
      headers: { prefer: "respond-async" },
    });
    expect(queued.status).toBe(202);
    expect(await bound().checkpoint(org)).toMatchObject({ ok: true });
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PUT", "", { name: "still here" }],
      ["GET", "/checkpoint?min_size=40", undefined],
      ["GET", "/log-key", undefined],
      ["GET", "/tile/0/000.p/40", undefined],
      ["GET", "/proof/inclusion?index=1", undefined],
      ["GET", "/keys", undefined],
      ["GET", "/status", undefined],
      ["GET", "/verify", undefined],
      ["POST", "/repair", { reason: "a row looks odd" }],
    ] as const) {
      const answer = await call(method, `/v1/orgs/${org}${path}`, { body });
      expect([200, 404], `${path}: ${answer.text}`).toContain(answer.status);
      if (!path.startsWith("/tile")) expect(answer.status, `${path}: ${answer.text}`).toBe(200);
    }
    expect((await bound().verify(org)).ok).toBe(true);
    await checkLedger(org, { archived: true });
  });

  it("stays closed when its ledger is evicted, and is one entry however often the same is asked", async () => {
    const org = await orgOf(1);
    const [first] = await Promise.all([close(org), close(org), close(org)]);
    await evict(org);
    expect(await listStatus(org)).toBe(503);
    expect((await close(org)).json).toEqual(first.json);
    const acts = await actsOf(org, "indelible.reads.disabled");
    expect(acts).toHaveLength(1);
    expect(saysOf(acts[0])).toEqual({ of: "org", window: [{ log: 1, from: 0, to: 3 }] });
    expect(acts[0]?.actor?.id).toBe("root");
    expect(acts[0]?.note).toEqual({ reason: WHY });
  });

  it.each(["failed", "failed but stored"] as const)(
    "is closed with its entry or not at all: its transaction %s",
    async (kind) => {
      const org = await orgOf(1);
      const fault = await breakSequencing(org, kind);
      expect((await putReads(org, { enabled: false, reason: WHY })).status).toBe(500);
      fault.restore();
      const stored = kind === "failed" ? 0 : 1;
      expect(await actsOf(org, "indelible.reads.disabled")).toHaveLength(stored);
      expect((await reads(org)).json.enabled).toBe(stored === 0);
      await close(org);
      expect(await actsOf(org, "indelible.reads.disabled")).toHaveLength(1);
      await checkLedger(org, { archived: true });
    },
  );

  it("lets nothing out that was being found when it was closed, and seals no trace of it", async () => {
    const org = await orgOf(1);
    const reading = call("GET", `/v1/orgs/${org}/events?min_size=1000000&action=document.*`);
    await close(org);
    problemOf(await reading, "reads_disabled");
    // The one of the list before.
    expect(await actsOf(org, "indelible.read")).toHaveLength(1);
  });

  it("lets nothing out either where traces go through the queue; those that are under way are sealed", async () => {
    const org = await orgOf(1);
    await call("PUT", `/v1/orgs/${org}`, { body: { access_log: "queued" } });
    const fault = replaceMethod(env.INGEST_QUEUE, "send", async (send, args) => {
      await send(...args);
      if (fault.hits === 1) await close(org);
    });
    problemOf(await call("GET", `/v1/orgs/${org}/events/1`), "reads_disabled");
    await expect.poll(() => actsOf(org, "indelible.read"), { timeout: 20_000 }).toHaveLength(2);
  });

  it("stops a walk between two pages, which goes on where it stood once reads are open", async () => {
    const org = await orgOf(6);
    const page = (cursor: string) => call("GET", `/v1/orgs/${org}/events?limit=3&order=asc&before_index=6${cursor}`);
    const first = await page("");
    const next = `&cursor=${first.json.next_cursor}`;
    await close(org);
    problemOf(await page(next), "reads_disabled");
    await verified(org);
    expect((await reopen(org)).json).toEqual({ enabled: true });
    const indexes = [first, await page(next)].flatMap(({ json }) => json.data.map((one: any) => one.index));
    expect(indexes).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("who may close reads", () => {
  it("is who has reads:write for the org; everybody else gets what they would of any route", async () => {
    const [org, other] = await Promise.all([createOrg("mine"), createOrg("theirs")]);
    const { key } = await orgKey(org, ["reads:write"]);
    const { key: weak } = await orgKey(org, ["events:read", "operate"]);
    const { key: platform } = await platformKey(["reads:write"], [org]);
    const asked = { enabled: false, reason: WHY };
    problemOf(await putReads(org, asked, weak), "forbidden");
    problemOf(await reads(org, weak), "forbidden");
    const foreign = await putReads(other, asked, key);
    const unknown = await putReads("no-such-org", asked, key);
    expect({ ...foreign.json, request_id: "" }).toEqual({ ...unknown.json, request_id: "" });
    problemOf(await putReads(other, asked, platform), "not_found");
    expect((await reads(other)).json).toEqual({ enabled: true });
    expect((await putReads(org, asked, platform)).json).toMatchObject({ enabled: false });
    expect((await reads(org, key)).json).toMatchObject({ enabled: false, reason: WHY });
  });

  it("is nobody who comes by a binding, though it has the scope", async () => {
    const org = await createOrg("bound");
    const caller = { kind: "trusted" as const, name: "shop-api", scopes: SCOPES, orgs: "*" as const };
    const asked = { enabled: false as const, reason: WHY };
    const answer = await env.ORG_LEDGER.getByName(org).closeReads(org, caller, "org", asked);
    expect(answer).toMatchObject({ ok: false, refusal: { code: "forbidden" } });
    expect(await listStatus(org)).toBe(200);
  });

  it("has to give a reason and a window that is in the log", async () => {
    const org = await createOrg("shape");
    for (const [body, at] of [
      [{ enabled: false }, "/reason"],
      [{ enabled: false, reason: "  " }, "/reason"],
      [{ reason: WHY }, "/enabled"],
      [{ enabled: false, reason: WHY, window: { from: -1 } }, "/window/from"],
      [{ enabled: true, reason: WHY, window: {} }, "/window"],
    ] as const) {
      const problem = problemOf(await putReads(org, body), "invalid_request");
      expect(problem.errors?.[0]?.pointer).toBe(at);
    }
    for (const window of [{ from: 1, to: 1 }, { from: 5 }, { log: 2 }]) {
      problemOf(await putReads(org, { enabled: false, reason: WHY, window }), "unprocessable");
    }
    expect(await listStatus(org)).toBe(200);
  });
});
