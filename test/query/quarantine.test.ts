import { expect, it } from "vitest";
import { call, createOrg, event } from "../support/client.ts";
import { list } from "./support.ts";

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
