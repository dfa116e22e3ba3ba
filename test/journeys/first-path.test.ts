import { describe, expect, it } from "vitest";
import { call, createOrg, event } from "../support/client.ts";

describe("an event's whole path", () => {
  it("appends, lists, gets and verifies", async () => {
    const org = await createOrg("path");
    const one = await call("POST", `/v1/orgs/${org}/events`, { body: event(1, { id: "first" }) });
    expect(one.status, one.text).toBe(201);
    expect(one.json.data[0]).toMatchObject({ id: "first", index: 1, duplicate: false });
    const many = await call("POST", `/v1/orgs/${org}/events`, {
      body: { events: Array.from({ length: 100 }, (_, n) => event(n)) },
    });
    expect(many.status, many.text).toBe(201);
    expect(many.json.size).toBe(102);
    const list = await call("GET", `/v1/orgs/${org}/events?limit=10&min_size=102`);
    expect(list.status, list.text).toBe(200);
    expect(list.json.data.map((entry: any) => entry.index)).toEqual([101, 100, 99, 98, 97, 96, 95, 94, 93, 92]);
    const got = await call("GET", `/v1/orgs/${org}/events/first`);
    expect(got.status, got.text).toBe(200);
    expect(got.json).toMatchObject({ id: "first", index: 1, action: "document.share", metadata: { n: 1 } });
    const verified = await call("GET", `/v1/orgs/${org}/verify`);
    const report = JSON.parse(verified.text.trim().split("\n").at(-1) as string);
    expect(report, verified.text).toMatchObject({ ok: true, breaks: [], unvouched: [] });
  });
});
