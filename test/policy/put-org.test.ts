import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, createOrg, event } from "../support/client.ts";

describe("settings changed at once", () => {
  it("are merged: none is lost", async () => {
    for (let round = 0; round < 5; round++) {
      const org = await createOrg("merged");
      const change = (body: Record<string, string>) => call("PUT", `/v1/orgs/${org}`, { body });
      await Promise.all([change({ access_log: "queued" }), change({ name: "Another name" })]);
      const { json } = await call("GET", `/v1/orgs/${org}`);
      expect(json).toMatchObject({ access_log: "queued", name: "Another name" });
    }
  });

  it("leave no range under another origin behind, whatever host is asked", async () => {
    const org = await createOrg("hosted");
    await call("PUT", `/v1/orgs/${org}`, { body: { name: "Again" }, headers: { host: "other.example" } });
    for (const cell of [env.CELL_0, env.CELL_1]) {
      const rows = await cell
        .prepare("select log from org_number where log like ?")
        .bind(`%/${org}`)
        .all<{ log: string }>();
      for (const { log } of rows.results) expect(log).toBe(`log.test/v1/orgs/${org}`);
    }
  });
});

describe("ids of the form the service makes", () => {
  it("are the service's own: no client can stand in for an entry that has one", async () => {
    const org = await createOrg("ids");
    const first = await call("POST", `/v1/orgs/${org}/events`, { body: event(1) });
    const { id } = first.json.data[0];
    const again = await call("POST", `/v1/orgs/${org}/events`, { body: event(2, { id }) });
    expect(again).toMatchObject({ status: 422, json: { errors: [{ pointer: "/id" }] } });
    const theirs = await call("POST", `/v1/orgs/${org}/events`, { body: event(3, { id: "evt_1Nv0FGQ9RKHgCVdK" }) });
    expect(theirs.status, theirs.text).toBe(201);
  });
});
