import { describe, expect, it } from "vitest";
import { orgKey } from "../http/support.ts";
import { call, createOrg, event } from "../support/client.ts";

describe("a key revoked while its answer is being found", () => {
  it("gets no answer", async () => {
    const org = await createOrg("revoked");
    await call("POST", `/v1/orgs/${org}/events`, { body: event(1) });
    const { key, id } = await orgKey(org, ["events:read"]);
    const reading = call("GET", `/v1/orgs/${org}/events?min_size=1000000`, { key });
    await call("DELETE", `/v1/orgs/${org}/keys/${id}`);
    expect(await reading).toMatchObject({ status: 401, json: { code: "unauthorized" } });
    const traces = await call("GET", `/v1/orgs/${org}/events?action=indelible.read`);
    expect(traces.json.data.filter((entry: { key: string }) => entry.key === id)).toEqual([]);
  });
});
