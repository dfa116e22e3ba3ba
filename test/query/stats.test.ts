import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { COUNTER_MAX_ACTIONS } from "../../src/limits.ts";
import { conforms, memberErrors, orgKey, problemOf } from "../http/support.ts";
import { statsSchema } from "../../src/schema/counts.ts";
import { append, batchOf } from "../support/append.ts";
import { untilProjected } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { call, createOrg, event } from "../support/client.ts";
import { shrinkCells, unshrinkCells } from "../support/shrink-cells.ts";
import { strand } from "../support/strand.ts";
import { actsOf, saysOf } from "./support.ts";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-21T12:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
  unshrinkCells();
});

async function put(org: string, events: Record<string, unknown>[]): Promise<void> {
  await append(org, batchOf(events));
  await untilProjected(org);
}

async function statsOf(org: string, query: string, key?: string) {
  const answer = await call("GET", `/v1/orgs/${org}/stats?${query}`, key === undefined ? {} : { key });
  expect(answer.status, answer.text).toBe(200);
  return conforms(statsSchema, answer.json);
}

const countsOf = ({ data }: { data: { value: string; count: number }[] }) =>
  Object.fromEntries(data.map(({ value, count }) => [value, count]));

const outcome = (result: string) => ({ outcome: { result } });

describe("statistics", () => {
  it("count by action, category, result, target type and day of sequencing, with the share of successes", async () => {
    const org = await createOrg("stats");
    const document = { type: "document", id: "d" };
    await put(org, [
      { ...event(1), targets: [document, { type: "folder", id: "f" }], occurred_at: "2020-01-01T00:00:00Z" },
      { ...event(2), targets: [document, { ...document, id: "d2" }], ...outcome("denied") },
      { ...event(3), action: "user.login", category: "login", ...outcome("failure") },
    ]);
    vi.setSystemTime(Date.now() + DAY_MS);
    await put(org, [{ ...event(4), targets: [document] }]);
    const byAction = await statsOf(org, "group_by=action&to=2026-11-22");
    expect(byAction.data.find(({ value }) => value === "document.share")).toEqual({
      ...{ value: "document.share", count: 3, success: 2, failure: 0, denied: 1, success_rate: 2 / 3 },
    });
    expect(byAction.days).toEqual({ from: "2026-11-21", to: "2026-11-22" });
    expect(countsOf(await statsOf(org, "group_by=category"))).toMatchObject({ general: 3, login: 1 });
    const types = await statsOf(org, "group_by=target_type");
    expect(countsOf(types)).toEqual({ document: 3, folder: 1, org: 1 });
    // The org's creation has the org as its target; an entry with two types counts for both.
    expect(types.none?.count).toBe(types.total.count - 4);
    const results = await statsOf(org, "group_by=result");
    expect(countsOf(results)).toMatchObject({ denied: 1, failure: 1 });
    expect(results.data.every(({ success_rate }) => success_rate === null)).toBe(true);
    const days = await statsOf(org, "group_by=day");
    expect(days.data.map(({ value }) => value)).toEqual(["2026-11-22", "2026-11-21"]);
    expect(days.total.count).toBe(days.data.reduce((sum, { count }) => sum + count, 0));
  });

  it("cover whole days and name them: times are widened, an empty stretch is empty", async () => {
    const org = await createOrg("stats-days");
    await put(org, [event(1)]);
    vi.setSystemTime(Date.now() + DAY_MS);
    await put(org, [event(2), event(3)]);
    const on = async (from: string, to: string) => {
      const query = new URLSearchParams({ group_by: "action", from, to }).toString();
      const { days, data } = await statsOf(org, query);
      return [days.from, days.to, countsOf({ data })["document.share"] ?? 0];
    };
    expect(await on("2026-11-21", "2026-11-21")).toEqual(["2026-11-21", "2026-11-21", 1]);
    expect(await on("2026-11-22T23:59:59.999Z", "2026-11-22")).toEqual(["2026-11-22", "2026-11-22", 2]);
    expect(await on("2026-11-22T01:00:00+02:00", "2026-11-22T00:00:00Z")).toEqual(["2026-11-21", "2026-11-22", 3]);
    expect(await on("0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")).toEqual(["0000-01-01", "9999-12-31", 3]);
    const none = await statsOf(org, "group_by=day&from=2030-01-01&to=2030-12-31");
    expect(none).toMatchObject({ data: [], groups: 0, truncated: false, other: null, none: null });
    expect(none.total).toEqual({ count: 0, success: 0, failure: 0, denied: 0, success_rate: null });
  });

  it("name the groups with most entries first and say that others are left out", async () => {
    const org = await createOrg("stats-top");
    await put(
      org,
      ["a.x", "b.x", "b.x", "c.x", "c.x", "c.x"].map((action) => ({ ...event(1), action })),
    );
    const top = await statsOf(org, "group_by=action&limit=2");
    expect(top.data.map(({ value, count }) => [value, count])).toEqual([
      ["c.x", 3],
      ["b.x", 2],
    ]);
    expect(top).toMatchObject({ truncated: true });
    expect(top.groups).toBeGreaterThanOrEqual(3);
    const { data, truncated, groups } = await statsOf(org, "group_by=action");
    expect([data.length, truncated]).toEqual([groups, false]);
  });

  it("answer hostile names exactly, one called (other) among them, and what is past a month's cap apart", async () => {
    const org = await createOrg("stats-hostile");
    const names = [
      "'; drop table counter; --",
      "a\\0b",
      '"',
      "é",
      "e\u0301",
      "%",
      "_",
      "__proto__",
      "(other)",
      "\u{10ffff}",
    ];
    await put(
      org,
      names.map((name) => ({
        ...event(1),
        action: name,
        targets: [
          { type: name, id: "x" },
          { type: "a b", id: "x" },
        ],
      })),
    );
    for (const group_by of ["action", "target_type"]) {
      const answer = await statsOf(org, `group_by=${group_by}`);
      for (const name of names) expect(answer.data.find(({ value }) => value === name)?.count, name).toBe(1);
      expect(answer.other).toBeNull();
    }
    const many = Array.from({ length: COUNTER_MAX_ACTIONS }, (_, n) => ({ ...event(1), action: `many.n${n}` }));
    for (let at = 0; at < many.length; at += 1_000) await put(org, many.slice(at, at + 1_000));
    const { other, groups, total, data } = await statsOf(org, "group_by=action&limit=1000");
    expect(groups).toBe(COUNTER_MAX_ACTIONS);
    expect(data).toHaveLength(1_000);
    expect(total.count).toBe(groups - 1 + (countsOf({ data })["indelible.read"] ?? 0) + (other?.count ?? 0));
    expect(other?.count).toBeGreaterThan(names.length);
  });

  it("sum placements and the logs of an org", async () => {
    const org = await createOrg("stats-split");
    await put(org, [event(1), event(2)]);
    await shrinkCells(org);
    await put(org, [event(3)]);
    unshrinkCells();
    await put(org, [event(4), event(8)]);
    expect((await readLedger(org)).placements).toHaveLength(2);
    expect(countsOf(await statsOf(org, "group_by=action"))["document.share"]).toBe(5);
    expect(countsOf(await statsOf(org, "group_by=actor"))).toMatchObject({ u_1: 2, u_2: 1, u_3: 1, u_4: 1 });
    await strand(org);
    expect((await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "gone" } })).status).toBe(201);
    await put(org, [event(1)]);
    expect(countsOf(await statsOf(org, "group_by=action"))["document.share"]).toBe(6);
    expect(countsOf(await statsOf(org, "group_by=actor"))).toMatchObject({ u_1: 3, u_2: 1, u_3: 1, u_4: 1 });
  });

  it("never count another org's entries, in one cell and in two, whatever their ids", async () => {
    const orgs = [await createOrg("stats-left"), await createOrg("stats-right")] as const;
    const mine = (n: number) => ({
      ...event(1),
      id: `same-${n}`,
      action: "same.act",
      targets: [{ type: "same", id: "x" }],
    });
    for (const [n, org] of orgs.entries()) await put(org, [mine(1), ...(n === 0 ? [] : [mine(2), mine(3)])]);
    await shrinkCells(orgs[1]);
    await put(orgs[1], [mine(4)]);
    unshrinkCells();
    await put(orgs[1], [mine(5)]);
    for (const [org, count] of [
      [orgs[0], 1],
      [orgs[1], 5],
    ] as const) {
      expect(countsOf(await statsOf(org, "group_by=action"))["same.act"]).toBe(count);
      expect(countsOf(await statsOf(org, "group_by=target_type"))).toEqual({ same: count, org: 1 });
      expect(countsOf(await statsOf(org, "group_by=actor"))["u_1"]).toBe(count);
      const { key } = await orgKey(org, ["events:read"]);
      const [foreign] = orgs.filter((other) => other !== org);
      const refused = await call("GET", `/v1/orgs/${foreign}/stats?group_by=action`, { key });
      const unknown = await call("GET", "/v1/orgs/nobody-here/stats?group_by=action", { key });
      const bytes = ({ text }: { text: string }) => text.replace(/"request_id":"[^"]+"/, "");
      expect(bytes(refused)).toBe(bytes(unknown));
      problemOf(refused, "not_found");
    }
  });

  it("leave a trace with the number of groups that were answered", async () => {
    const org = await createOrg("stats-trace");
    await put(org, [event(1)]);
    const { data } = await statsOf(org, "to=2026-11-21&group_by=day");
    const [trace] = await actsOf(org, "indelible.read");
    expect(trace?.note).toEqual({ query: "group_by=day&to=2026-11-21" });
    expect(saysOf(trace)).toEqual({ route: "stats", results_count: data.length, range: null });
  });

  it.each([
    ["", "/group_by"],
    ["group_by=ip", "/group_by"],
    ["group_by=constructor", "/group_by"],
    ["group_by=day&group_by=day", "/group_by"],
    ["group_by=day&from=yesterday", "/from"],
    ["group_by=day&from=2026-02-30", "/from"],
    ["group_by=day&from=2026-11-22&to=2026-11-21", "/to"],
    ["group_by=day&limit=0", "/limit"],
    ["group_by=day&limit=1001", "/limit"],
    ["group_by=day&limit=1e2", "/limit"],
    ["group_by=day&actor=u_1", "/actor"],
  ])("refuse %j by name, and only to who may ask", async (query, pointer) => {
    const org = await createOrg("stats-bad");
    const refused = await call("GET", `/v1/orgs/${org}/stats?${query}`);
    expect(Object.keys(memberErrors(refused, "invalid_request"))).toContain(pointer);
    const other = await orgKey(await createOrg("stats-else"), ["events:read"]);
    problemOf(await call("GET", `/v1/orgs/${org}/stats?${query}`, { key: other.key }), "not_found");
  });
});
