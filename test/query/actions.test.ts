import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { inventorySchema } from "../../src/schema/counts.ts";
import { conforms, memberErrors, orgKey, problemOf } from "../http/support.ts";
import { append, batchOf } from "../support/append.ts";
import { untilProjected } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { shrinkCells, unshrinkCells } from "../support/shrink-cells.ts";
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

async function inventoryOf(org: string, query = "") {
  const answer = await call("GET", `/v1/orgs/${org}/actions${query}`);
  expect(answer.status, answer.text).toBe(200);
  return conforms(inventorySchema, answer.json);
}

const own = ({ data }: { data: { action: string }[] }) => data.filter(({ action }) => !action.startsWith("indelible."));

describe("the inventory of actions", () => {
  it("says when each was first and last seen, how often, in which categories and versions", async () => {
    const org = await createOrg("actions");
    await put(org, [
      { ...event(1), action: "user.create", category: "user_management" },
      { ...event(2), action: "user.create", version: 2 },
      { ...event(3), action: "doc.view", occurred_at: "2019-01-01T00:00:00Z" },
    ]);
    vi.setSystemTime(Date.now() + DAY_MS);
    await put(org, [{ ...event(4), action: "user.create", version: 2 }]);
    const [first, last] = ["2026-11-21", "2026-11-22"];
    const inventory = await inventoryOf(org);
    expect(own(inventory)).toEqual([
      {
        ...{ action: "doc.view", count: 1, first_day: first, last_day: first },
        categories: [{ category: "general", count: 1 }],
        versions: [{ version: 1, first_day: first, last_day: first }],
      },
      {
        ...{ action: "user.create", count: 3, first_day: first, last_day: last },
        categories: [
          { category: "general", count: 2 },
          { category: "user_management", count: 1 },
        ],
        versions: [
          { version: 1, first_day: first, last_day: first },
          { version: 2, first_day: first, last_day: last },
        ],
      },
    ]);
    expect(inventory).toMatchObject({ days: { from: first, to: last }, other_count: 0, versions_complete: true });
    const later = await inventoryOf(org, `?from=${last}`);
    expect(own(later)).toMatchObject([{ action: "user.create", count: 1, first_day: last }]);
  });

  it("sums placements, and keeps an org of the same names apart", async () => {
    const [org, other] = [await createOrg("actions-split"), await createOrg("actions-same")];
    await put(org, [{ ...event(1), version: 3 }]);
    await put(other, [event(1), event(2)]);
    await shrinkCells(org);
    vi.setSystemTime(Date.now() + DAY_MS);
    await put(org, [event(2)]);
    unshrinkCells();
    await put(org, [
      { ...event(3), version: 3 },
      { ...event(4), version: 7, category: "login" },
    ]);
    const [action] = own(await inventoryOf(org)) as any[];
    const [first, last] = ["2026-11-21", "2026-11-22"];
    expect(action).toMatchObject({ action: "document.share", count: 4, first_day: first, last_day: last });
    expect(action.versions).toEqual([
      { version: 1, first_day: last, last_day: last },
      { version: 3, first_day: first, last_day: last },
      { version: 7, first_day: last, last_day: last },
    ]);
    expect(own(await inventoryOf(other))).toMatchObject([{ count: 2, versions: [{ version: 1 }] }]);
  });

  it("answers hostile names exactly, in order", async () => {
    const org = await createOrg("actions-hostile");
    const names = [
      "'; drop table action_seen; --",
      "(other)",
      '"',
      "é",
      "__proto__",
      "constructor",
      "\u{10ffff}",
      "a b",
    ];
    await put(
      org,
      names.map((action) => ({ ...event(1), action })),
    );
    const inventory = await inventoryOf(org);
    expect(own(inventory).map(({ action }) => action)).toEqual(names.toSorted());
    expect(own(inventory).every((one: any) => one.count === 1 && one.versions.length === 1)).toBe(true);
    expect(inventory.other_count).toBe(0);
  });

  it("points at names that have drifted apart, in the log as it is", async () => {
    const org = await createOrg("actions-drift");
    const names = ["apiKey.create", "user.addApiKey", "User.Created", "user.created", "user_created", "doc.view"];
    await put(
      org,
      names.map((action) => ({ ...event(1), action })),
    );
    const { drift } = await inventoryOf(org);
    expect(drift.map(({ actions, suggestion }) => [actions.toSorted(), suggestion])).toEqual([
      [["apiKey.create", "user.addApiKey"], "api_key.create"],
      [["User.Created", "user.created", "user_created"], "user.created"],
    ]);
  });

  it("is traced with the number of actions, refuses what it does not know, and a foreign org as none", async () => {
    const org = await createOrg("actions-trace");
    const { data } = await inventoryOf(org, "?from=2026-11-01");
    const [trace] = await actsOf(org, "indelible.read");
    expect(trace?.note).toEqual({ query: "from=2026-11-01" });
    expect(saysOf(trace)).toEqual({ route: "actions.list", results_count: data.length, range: null });
    const refused = await call("GET", `/v1/orgs/${org}/actions?limit=3`);
    expect(Object.keys(memberErrors(refused, "invalid_request"))).toEqual(["/limit"]);
    const { key } = await orgKey(await createOrg("actions-else"), ["events:read"]);
    problemOf(await call("GET", `/v1/orgs/${org}/actions?limit=3`, { key }), "not_found");
    const blind = await orgKey(org, ["events:append", "personal:read"]);
    problemOf(await call("GET", `/v1/orgs/${org}/actions`, { key: blind.key }), "forbidden");
  });
});
