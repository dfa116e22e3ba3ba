import { afterEach, describe, expect, it, vi } from "vitest";
import { RETENTION_MAX_DAYS, RETENTION_MAX_RULES } from "../../src/limits.ts";
import { keepUntil, NO_POLICY } from "../../src/schema/policy.ts";
import { orgKey, problemOf } from "../http/support.ts";
import { actsOf, entriesOf, saysOf } from "../query/support.ts";
import { archiveDue, checkLedger, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg } from "../support/client.ts";
import { evict } from "../support/faults.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";

afterEach(() => {
  vi.useRealTimers();
});

const path = (org: string) => `/v1/orgs/${org}/retention`;
const put = (org: string, body: unknown, key?: string) =>
  call("PUT", path(org), { body, ...(key === undefined ? {} : { key }) });

async function append(org: string, action: string, category?: string) {
  const body = { action, actor: { type: "user", id: "u_1" }, ...(category === undefined ? {} : { category }) };
  const { status, json } = await call("POST", `/v1/orgs/${org}/events`, { body });
  expect(status).toBe(201);
  const entry = (await entriesOf(org, json.data[0].index))[0];
  const { leaf, event } = entry as NonNullable<typeof entry>;
  return { category: leaf.category, keep: leaf.keep_until, said: event?.category, sent: event?.category_sent };
}

/** The day so many days after today. */
function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

describe("the policy of retention", () => {
  it("is the normal days of each category, without a rule, until it is changed", async () => {
    const org = await createOrg("retention");
    const days = { log_access: 365, config_change: 2555, user_management: 2555, data_modification: 2555 };
    const normal = { days: { ...days, login: 90, general: 365, telemetry: 365 }, rules: [] };
    expect((await call("GET", path(org))).json).toEqual(normal);
    const changed = await put(org, { days: { login: 7, telemetry: "forever" } });
    expect(changed.json).toEqual({ days: { ...normal.days, login: 7, telemetry: "forever" }, rules: [] });
    await evict(org);
    expect((await call("GET", path(org))).json).toEqual(changed.json);
    expect((await put(org, {})).json).toEqual(normal);
    const [first, second] = await actsOf(org, "indelible.org.updated");
    expect(saysOf(first)["settings"].retention).toEqual({ days: { login: 7, telemetry: "forever" }, rules: [] });
    expect(saysOf(second)["settings"].retention).toEqual(NO_POLICY);
    expect((await put(org, {})).status).toBe(200);
    expect(await actsOf(org, "indelible.org.updated")).toHaveLength(2);
    await call("PUT", `/v1/orgs/${org}`, { body: { name: "other" } });
    expect((await call("GET", path(org))).json).toEqual(normal);
    await checkLedger(org, { archived: true });
  });

  it("decides the category and the last day of entries to come, and of no other", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const org = await createOrg("retention");
    expect(await append(org, "user.login")).toEqual({ category: "general", keep: inDays(365) });
    const rules = [
      { action: "user.login", category: "login" },
      { action: "user.*", category: "user_management" },
      { action: "user.*", category: "telemetry" },
    ];
    await put(org, { days: { login: 1, general: 2, telemetry: "forever", user_management: 40 }, rules });
    expect((await entriesOf(org, 1))[0]?.leaf.keep_until).toBe(inDays(365));
    expect(await append(org, "user.login")).toEqual({ category: "login", keep: inDays(1), said: "login" });
    expect(await append(org, "user.login.failed", "user_management")).toMatchObject({ category: "user_management" });
    expect(await append(org, "user")).toEqual({ category: "general", keep: inDays(2) });
    expect(await append(org, "users.x", "general")).toEqual({ category: "general", keep: inDays(2), said: "general" });
    // The client's word lengthens keeping, and is never lost.
    expect(await append(org, "user.made", "data_modification")).toEqual({
      category: "user_management",
      keep: inDays(2555),
      said: "user_management",
      sent: "data_modification",
    });
    expect(await append(org, "user.login", "telemetry")).toMatchObject({ category: "login", keep: "forever" });
    expect(await append(org, "user.login", "general")).toMatchObject({ keep: inDays(2), sent: "general" });
    await checkLedger(org, { archived: true });
  });

  it("never shortens how long the traces of its own change, and of what is done to the log, are kept", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const org = await createOrg("retention");
    await put(org, { days: { config_change: 1, log_access: 1 } });
    await put(org, { days: { config_change: 1, log_access: 2 } });
    await orgKey(org, ["events:read"]);
    await call("GET", `/v1/orgs/${org}/events`);
    const kept = (await entriesOf(org)).map(({ leaf, event }) => [event?.action, leaf.keep_until]);
    expect(kept).toEqual([
      ["indelible.org.created", inDays(2555)],
      ["indelible.org.updated", inDays(2555)],
      ["indelible.org.updated", inDays(2555)],
      ["indelible.key.created", inDays(2555)],
      ["indelible.read", inDays(2)],
    ]);
    await put(org, { days: { config_change: "forever" } });
    await put(org, { days: {} });
    const last = (await entriesOf(org)).slice(-2).map(({ leaf }) => leaf.keep_until);
    expect(last).toEqual([inDays(2555), "forever"]);
    await checkLedger(org, { archived: true });
  });

  it("comes back with a ledger that was set back", async () => {
    const org = await createOrg("retention");
    const before = await snapshotOf(org);
    const { json } = await put(org, { days: { login: 1 }, rules: [{ action: "a.*", category: "login" }] });
    await archiveDue(org);
    await untilProjected(org);
    await rewindTo(org, before);
    await wake(org);
    expect((await call("GET", path(org))).json).toEqual(json);
  });

  it("is for who has policy:write, and refused by name where it is none", async () => {
    const org = await createOrg("retention");
    const { key } = await orgKey(org, ["policy:write"]);
    const { key: weak } = await orgKey(org, ["orgs:write", "operate", "holds:write", "events:read"]);
    expect((await put(org, { days: { login: 30 } }, key)).status).toBe(200);
    problemOf(await put(org, { days: { login: 31 } }, weak), "forbidden");
    problemOf(await call("GET", path(org), { key: weak }), "forbidden");
    problemOf(
      await call("PUT", `/v1/orgs/${org}`, { body: { retention: { days: {}, rules: [] } } }),
      "invalid_request",
    );
    const rule = { action: "a.b", category: "login" };
    for (const [body, at] of [
      [{ days: { login: 0 } }, "/days/login"],
      [{ days: { login: 1.5 } }, "/days/login"],
      [{ days: { login: RETENTION_MAX_DAYS + 1 } }, "/days/login"],
      [{ days: { cats: 1 } }, "/days/cats"],
      [
        {
          rules: [
            { ...rule, action: "*" },
            { ...rule, action: "a..b" },
          ],
        },
        "/rules/1/action",
      ],
      [{ rules: [{ ...rule, category: "cats" }] }, "/rules/0/category"],
      [{ rules: Array.from({ length: RETENTION_MAX_RULES + 1 }, () => rule) }, "/rules"],
      [{ day: {} }, "/day"],
    ] as const) {
      expect(problemOf(await put(org, body), "invalid_request").errors?.[0]?.pointer).toBe(at);
    }
    expect((await call("GET", path(org))).json.days.login).toBe(30);
    const policy = { days: { login: RETENTION_MAX_DAYS }, rules: [] };
    const longest = { decided: "login", sent: null, source: "client", policy } as const;
    expect(keepUntil({ ...longest, sequencedAt: Date.parse("2026-11-22T00:00:00Z") })).toBe("2126-11-23");
  });
});
