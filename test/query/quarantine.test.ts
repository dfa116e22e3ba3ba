import { expect, it } from "vitest";
import { orgKey, problemOf } from "../http/support.ts";
import { call, createOrg, event } from "../support/client.ts";
import { list, walk } from "./support.ts";

it("entries under quarantine are listed and got with every section withheld, by its id, and no filter on their words finds them", async () => {
  const org = await createOrg("quarantine");
  const events = Array.from({ length: 4 }, (_, n) => event(n, { id: `q-${n}`, action: `secret.number-${n}` }));
  await call("POST", `/v1/orgs/${org}/events`, { body: { events } });
  const placed = await call("POST", `/v1/orgs/${org}/quarantines`, {
    body: { from: 2, to: 4, reason: "they may be another org's" },
  });
  const { id } = placed.json;
  const page = await list(org, { min_size: 5, before_index: 5, order: "asc" });
  expect(page.json.data.map(({ index }: any) => index)).toEqual([0, 1, 2, 3, 4]);
  for (const entry of page.json.data) {
    const shut = entry.index === 2 || entry.index === 3;
    expect(JSON.stringify(entry).includes("secret.number") && entry.source === "client").toBe(
      entry.source === "client" && !shut,
    );
    if (!shut) expect(entry.absent).toEqual([]);
    else {
      expect(entry.absent.length).toBeGreaterThan(0);
      for (const absence of entry.absent) expect(absence).toMatchObject({ cause: "withheld", by: id });
    }
  }
  const got = await call("GET", `/v1/orgs/${org}/events/3`);
  expect(got.json).toMatchObject({ index: 3, entry_hash: page.json.data[3].entry_hash });
  expect(got.text).not.toContain("secret.number");
  expect((await list(org, { action: "secret.number-1" })).json.data).toEqual([]);
  expect((await list(org, { action: "secret.number-0" })).json.data).toHaveLength(1);
  await call("POST", `/v1/orgs/${org}/quarantines/${id}/release`, { body: { reason: "they are ours" } });
  expect((await list(org, { action: "secret.number-1" })).json.data).toHaveLength(1);
});

it("hides neither itself nor who stops reading, though it covers all that is to come", async () => {
  const org = await createOrg("hides-itself");
  await call("POST", `/v1/orgs/${org}/quarantines`, { body: { from: 0, to: null, reason: "nobody shall see" } });
  const quarantines = `/v1/orgs/${org}/quarantines`;
  const second = (await call("POST", quarantines, { body: { from: 0, to: 9, reason: "nor this" } })).json.id;
  await call("POST", `${quarantines}/${second}/release`, { body: { reason: "one is enough" } });
  await call("PUT", `/v1/orgs/${org}/reads`, { body: { enabled: false, reason: "a while" } });
  await call("GET", `/v1/orgs/${org}/verify`);
  await call("PUT", `/v1/orgs/${org}/reads`, { body: { enabled: true, reason: "long enough" } });
  const told = [
    ...["indelible.quarantine.placed", "indelible.quarantine.placed", "indelible.quarantine.released"],
    ...["indelible.reads.disabled", "indelible.reads.enabled"],
  ];
  const shown = async (params: Record<string, string | string[]>) =>
    (await walk(org, { order: "asc", min_size: 7, ...params })).entries;
  const named = (entries: any[]) => entries.flatMap((entry) => ("action" in entry ? [entry.action] : []));
  const all = await shown({});
  expect(named(all)).toEqual(told);
  expect(new Set(all[0].absent.map(({ cause }: any) => cause))).toEqual(new Set(["withheld"]));
  expect(named(await shown({ action: ["indelible.quarantine.*", "indelible.reads.*"] }))).toEqual(told);
  expect(named(await shown({ q: '"one is enough"' }))).toEqual(["indelible.quarantine.released"]);
  expect(named(await shown({ "-action": "indelible.reads.*", actor: "root" }))).toEqual(told.slice(0, 3));
  const got = await call("GET", `/v1/orgs/${org}/events/1`);
  expect(got.json).toMatchObject({ action: "indelible.quarantine.placed", reason: "nobody shall see", absent: [] });
  expect(await shown({ action: "indelible.org.created" })).toEqual([]);
});

it("is told to who may read everything", async () => {
  const org = await createOrg("told");
  await call("POST", `/v1/orgs/${org}/quarantines`, { body: { from: 0, to: 1, reason: "it is not ours" } });
  const { key } = await orgKey(org, ["events:read"]);
  const told = await call("GET", `/v1/orgs/${org}/quarantines`, { key });
  expect(told.json.data).toMatchObject([{ from: 0, to: 1, reason: "it is not ours" }]);
  const { key: turns } = await orgKey(org, ["reads:write"]);
  problemOf(await call("GET", `/v1/orgs/${org}/quarantines`, { key: turns }), "forbidden");
  const minted = await call("POST", `/v1/orgs/${org}/viewer-tokens`, {
    body: { actor: { type: "user", id: "u" }, scopes: ["events:read"], restriction: { categories: ["general"] } },
    key,
  });
  expect(minted.status, minted.text).toBe(201);
  problemOf(await call("GET", `/v1/orgs/${org}/quarantines`, { key: minted.json.token }), "forbidden");
});
