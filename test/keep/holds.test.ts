import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { HOLDS_MAX_STANDING } from "../../src/limits.ts";
import type { Scope } from "../../src/schema/caller.ts";
import { orgKey, problemOf } from "../http/support.ts";
import { actsOf, saysOf } from "../query/support.ts";
import { archiveDue, checkLedger, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg } from "../support/client.ts";
import { evict } from "../support/faults.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";

const WHY = "the case of Smith";
const path = (org: string, more = "") => `/v1/orgs/${org}/holds${more}`;
const place = (org: string, body: Record<string, unknown>, key?: string) =>
  call("POST", path(org), { body: { reason: WHY, ...body }, ...(key === undefined ? {} : { key }) });
const release = (org: string, id: string, reason = "it was settled") =>
  call("POST", path(org, `/${id}/release`), { body: { reason } });
const listed = async (org: string) => (await call("GET", path(org))).json.data;

async function versionOf(org: string): Promise<number> {
  const holds = await env.ORG_LEDGER.getByName(org).standingHolds(org);
  if (!holds.ok) throw new Error(holds.refusal.detail);
  return holds.value.version;
}

describe("a legal hold", () => {
  it("is placed and released, each an entry with its reason and person", async () => {
    const org = await createOrg("hold");
    const scope = { filter: { actor: "u_17", "-action": ["a.b", "user.*"] }, from: "2026-01-01T00:00:00Z" };
    const placed = await place(org, { ...scope, before_index: 9 });
    expect(placed.status, placed.text).toBe(201);
    const { id, at } = placed.json;
    expect(placed.json).toEqual({
      id,
      reason: WHY,
      filter: { actor: ["u_17"], "-action": ["a.b", "user.*"] },
      from: "2026-01-01T00:00:00Z",
      to: null,
      after_index: null,
      before_index: 9,
      log: 1,
      by: "root",
      at,
      released: null,
    });
    await evict(org);
    expect(await listed(org)).toEqual([placed.json]);
    const released = await release(org, id);
    expect(released.json).toEqual({ ...placed.json, released: released.json.released });
    expect(released.json.released).toMatchObject({ reason: "it was settled", by: "root" });
    await evict(org);
    expect(await listed(org)).toEqual([released.json]);
    const [[on], [off]] = [await actsOf(org, "indelible.hold.placed"), await actsOf(org, "indelible.hold.released")];
    expect([on?.targets[0]?.id, off?.targets[0]?.id]).toEqual([id, id]);
    expect([on?.note?.reason, off?.note?.reason]).toEqual([WHY, "it was settled"]);
    expect(new URLSearchParams(on?.note?.query).getAll("actor")).toEqual(["u_17"]);
    expect([on?.actor?.id, saysOf(on)]).toEqual(["root", { log: 1, after_index: null, before_index: 9 }]);
    await checkLedger(org, { archived: true });
  });

  it("is one when it is asked for twice or released twice; others overlap it, each by itself", async () => {
    const org = await createOrg("hold");
    const first = await place(org, { filter: { actor: "u_1" } });
    expect((await place(org, { filter: { actor: ["u_1"] } })).json).toEqual(first.json);
    const other = await place(org, { filter: { actor: "u_1" }, reason: "another case" });
    expect(other.json.id).not.toBe(first.json.id);
    const released = await release(org, first.json.id);
    expect((await release(org, first.json.id, "again")).json).toEqual(released.json);
    expect((await listed(org)).map((hold: any) => [hold.id, hold.released === null])).toEqual([
      [other.json.id, true],
      [first.json.id, false],
    ]);
    expect(await actsOf(org, "indelible.hold.placed")).toHaveLength(2);
    expect(await actsOf(org, "indelible.hold.released")).toHaveLength(1);
  });

  it("makes the version of what stands another one, when it is placed and when it is released", async () => {
    const org = await createOrg("hold");
    const versions = [await versionOf(org)];
    const { id } = (await place(org, {})).json;
    versions.push(await versionOf(org));
    await place(org, {});
    expect(await versionOf(org)).toBe(versions[1]);
    await release(org, id);
    versions.push(await versionOf(org));
    await evict(org);
    expect(await versionOf(org)).toBe(versions[2]);
    expect(new Set(versions).size).toBe(3);
  });

  it.each(["an older state", "nothing"])("comes back with a ledger that was set back to %s", async (to) => {
    const org = await createOrg("hold");
    const before = to === "nothing" ? null : await snapshotOf(org);
    const stands = await place(org, { filter: { target: "d_1", q: '"exact words" word' } });
    const ended = await place(org, { after_index: 0 });
    await release(org, ended.json.id);
    const [all, version] = [await listed(org), await versionOf(org)];
    await archiveDue(org);
    await untilProjected(org);
    await rewindTo(org, before);
    if (before === null) expect((await call("PUT", `/v1/orgs/${org}`, { body: {} })).status).toBe(201);
    await wake(org);
    expect(await listed(org)).toEqual(all);
    expect(await versionOf(org)).toBe(version);
    expect(all[0]).toMatchObject({ id: stands.json.id, log: null });
    await checkLedger(org, { archived: true });
  });

  it("is for who has holds:write; what personal sections say may be asked for with personal:read alone", async () => {
    const [org, other] = await Promise.all([createOrg("mine"), createOrg("theirs")]);
    const keyOf = async (scopes: Scope[]) => (await orgKey(org, scopes)).key;
    const [key, weak, seer] = await Promise.all([
      keyOf(["holds:write"]),
      keyOf(["events:read", "policy:write", "erasures:write", "operate"]),
      keyOf(["holds:write", "personal:read"]),
    ]);
    const theirs = (await place(other, {})).json.id;
    for (const [method, more, body] of [
      ["GET", "", undefined],
      ["POST", "", { reason: WHY }],
      ["POST", `/${theirs}/release`, { reason: WHY }],
    ] as const) {
      problemOf(await call(method, path(org, more), { body, key: weak }), "forbidden");
      problemOf(await call(method, path(other, more), { body, key }), "not_found");
      if (more !== "") problemOf(await call(method, path(org, more), { body, key }), "not_found");
    }
    expect(await listed(org)).toEqual([]);
    expect(await listed(other)).toMatchObject([{ id: theirs, released: null }]);
    for (const filter of [{ ip: "192.0.2.1" }, { "-session_id": "s" }, { q: "jane" }, { q: "-jane" }, { q: "ip:1" }]) {
      problemOf(await place(org, { filter }, key), "forbidden");
      expect((await place(org, { filter }, seer)).status).toBe(201);
    }
    expect((await place(org, { filter: { q: "actor:u_1" } }, key)).status).toBe(201);
  });

  it("is refused, by name, where it is not a question a list takes, and past the number that may stand at once", async () => {
    const org = await createOrg("bounds");
    for (const [body, at] of [
      [{ filter: { actr: "u_1" } }, "/filter/actr"],
      [{ filter: { limit: "1" } }, "/filter/limit"],
      [{ filter: { from: "2026-01-01T00:00:00Z" } }, "/filter/from"],
      [{ filter: { category: "cats" } }, "/filter/category"],
      [{ filter: { q: 'actor:"' } }, "/filter/q"],
      [{ filter: { actor: [] } }, "/filter/actor"],
      [{ from: "yesterday" }, "/from"],
      [{ reason: " " }, "/reason"],
      [{ after_index: -1 }, "/after_index"],
      [{ until: "forever" }, "/until"],
      // What can hold nothing is no hold.
      [{ after_index: 5, before_index: 6 }, "/before_index"],
      [{ before_index: 0 }, "/before_index"],
      [{ from: "2026-05-02T00:00:00Z", to: "2026-05-02T00:30:00+01:00" }, "/to"],
    ] as const) {
      expect(problemOf(await place(org, body), "invalid_request").errors?.[0]?.pointer).toBe(at);
    }
    problemOf(await place(org, { log: 2 }), "unprocessable");
    expect(await listed(org)).toEqual([]);
    const all = await Promise.all(
      Array.from({ length: HOLDS_MAX_STANDING + 5 }, (_, n) => place(org, { after_index: n })),
    );
    expect(all.filter(({ status }) => status === 201)).toHaveLength(HOLDS_MAX_STANDING);
    expect(all.filter(({ status }) => status === 422)).toHaveLength(5);
  });
});
