import { describe, expect, it } from "vitest";
import { orgKey, viewerToken } from "../http/support.ts";
import { call, createOrg, event } from "../support/client.ts";

// An answer is being found for the 5 s that it waits for entries to come: all of these wait side by side.
describe.concurrent.each(["sealed", "queued"])(
  "a key revoked while its answer is being found, where traces are %s",
  (access_log) => {
    it.each(["a key", "a token of it"])("gets no answer: %s", async (what) => {
      const org = await createOrg("revoked");
      await call("PUT", `/v1/orgs/${org}`, { body: { access_log } });
      await call("POST", `/v1/orgs/${org}/events`, { body: event(1) });
      const { key, id } = await orgKey(org, ["events:read"]);
      const sent = what === "a key" ? key : (await viewerToken(org, { key })).token;
      const reading = call("GET", `/v1/orgs/${org}/events?min_size=1000000`, { key: sent });
      await call("DELETE", `/v1/orgs/${org}/keys/${id}`);
      expect(await reading).toMatchObject({ status: 401, json: { code: "unauthorized" } });
      if (access_log === "queued") return;
      const traces = await call("GET", `/v1/orgs/${org}/events?action=indelible.read`);
      expect(traces.json.data.filter((entry: { key: string }) => entry.key === id)).toEqual([]);
    });
  },
);

describe.concurrent("a window put under quarantine while an answer is being found", () => {
  it("does not leave with it", async () => {
    const org = await createOrg("meanwhile");
    await call("POST", `/v1/orgs/${org}/events`, { body: event(1, { action: "secret.thing" }) });
    const reading = call("GET", `/v1/orgs/${org}/events?min_size=1000000`);
    await call("POST", `/v1/orgs/${org}/quarantines`, { body: { from: 0, to: 9, reason: "not ours" } });
    const answer = await reading;
    expect(answer).toMatchObject({ status: 503, json: { code: "overloaded" } });
    expect(answer.text).not.toContain("secret.thing");
  });
});
