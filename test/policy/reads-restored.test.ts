import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { problemOf } from "../http/support.ts";
import { archiveDue, checkLedger, untilProjected, wake } from "../support/check-ledger.ts";
import { call } from "../support/client.ts";
import { restoreFaults } from "../support/faults.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { strand } from "../support/strand.ts";
import { verified } from "../support/tamper.ts";
import { close, listStatus, orgOf, reads, reopen, WHY } from "./reads-support.ts";

afterEach(restoreFaults);

const place = (org: string, body: Record<string, unknown>) =>
  call("POST", `/v1/orgs/${org}/quarantines`, { body: { reason: WHY, ...body } });

describe("a ledger that was set back to before reads were closed and a window was put under quarantine", () => {
  it.each(["an older state", "nothing"])("comes back closed, and with its quarantine: %s", async (to) => {
    const org = await orgOf(3);
    await archiveDue(org);
    const before = to === "nothing" ? null : await snapshotOf(org);
    const placed = await place(org, { from: 1, to: 3 });
    const lifted = await place(org, { from: 2, to: null });
    await call("POST", `/v1/orgs/${org}/quarantines/${placed.json.id}/notes`, { body: { note: "asked Jane" } });
    await call("POST", `/v1/orgs/${org}/quarantines/${lifted.json.id}/release`, { body: { reason: "not these" } });
    const closed = await close(org);
    await archiveDue(org);
    await untilProjected(org);
    await rewindTo(org, before);
    if (before === null) expect((await call("PUT", `/v1/orgs/${org}`, { body: {} })).status).toBe(201);
    await wake(org);
    expect(await listStatus(org)).toBe(503);
    const { json } = await reads(org);
    expect(json).toMatchObject({ enabled: false, reason: WHY, window: closed.json.window, since: closed.json.since });
    const { data } = (await call("GET", `/v1/orgs/${org}/quarantines`)).json;
    expect(data).toMatchObject([
      { id: placed.json.id, from: 1, to: 3, released: null, notes: [{ note: "asked Jane" }] },
      { id: lifted.json.id, from: 2, to: null, released: { reason: "not these" } },
    ]);
    problemOf(await reopen(org), "conflict");
    await verified(org);
    expect((await reopen(org)).status).toBe(200);
    await checkLedger(org, { archived: true });
  });

  it("comes back open where they had been opened since", async () => {
    const org = await orgOf(3);
    await close(org);
    await archiveDue(org);
    const before = await snapshotOf(org);
    await verified(org);
    await reopen(org);
    await archiveDue(org);
    await untilProjected(org);
    await rewindTo(org, before);
    await wake(org);
    expect((await reads(org)).json).toEqual({ enabled: true });
  });
});

describe("a log that is continued as another", () => {
  it("stays closed and under quarantine, and opens when both logs were verified", async () => {
    const org = await orgOf(3);
    const placed = await place(org, { from: 1, to: null });
    const closed = await close(org);
    await archiveDue(org);
    await untilProjected(org);
    await strand(org);
    const continued = await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "entries are gone for good" } });
    expect(continued.status, continued.text).toBe(201);
    expect(continued.json.reads).toMatchObject({ state: "disabled", closed: [{ of: "org", reason: WHY }] });
    expect(await listStatus(org)).toBe(503);
    const grant = await env.ORG_LEDGER.getByName(org).authorize(
      org,
      { kind: "trusted", name: "root", scopes: ["events:read"], orgs: "all" },
      "events:read",
      { whileClosed: true },
    );
    if (!grant.ok) throw new Error(grant.refusal.detail);
    expect(grant.value.quarantined).toEqual([]);
    expect(grant.value.earlier[0]?.quarantined).toEqual([{ id: placed.json.id, from: 1, to: 2 ** 32 }]);
    const [missing] = (await reads(org)).json.missing;
    expect(missing).toEqual({ ...closed.json.window[0], request: `GET /v1/orgs/${org}/1/verify?from=0` });
    const [method = "", path = ""] = missing.request.split(" ");
    expect((await call(method, path)).text).toContain('"on_record":true');
    expect((await reopen(org)).json).toEqual({ enabled: true });
  });
});
