import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { problemOf, viewerToken } from "../http/support.ts";
import { call, createOrg } from "../support/client.ts";
import { actsOf, list, saysOf, sizeOf } from "./support.ts";

let org = "";
let token = "";
beforeAll(async () => {
  org = await createOrg("narrowed");
  const target = (id: string) => [{ type: "document", id }];
  const actor = { type: "user", id: "u_1" };
  const events = [
    { id: "mine", action: "document.share", category: "general", actor, targets: target("d_9") },
    { id: "other-thing", action: "document.share", category: "general", actor, targets: target("d_8") },
    { id: "other-kind", action: "document.sign", category: "login", actor, targets: target("d_9") },
    { id: "other-type", action: "folder.share", category: "general", actor, targets: [{ type: "folder", id: "d_9" }] },
  ];
  expect((await call("POST", `/v1/orgs/${org}/events`, { body: { events } })).status).toBe(201);
  await list(org, { min_size: await sizeOf(org), limit: 1 });
});

/** One of its own for each test: a token has a share of reads a second. */
beforeEach(async () => {
  const restriction = { target: { type: "document", id: "d_9" }, categories: ["general"] };
  ({ token } = await viewerToken(org, { restriction }));
});

const idsOf = async (params: Record<string, string>) =>
  (await list(org, params, token)).json.data.map(({ id }: { id: string }) => id);

describe("a token restricted to a target and a category", () => {
  it("lists what is both, whatever is asked for, and its trace counts that", async () => {
    for (const params of [{}, { actor: "u_1" }, { "-target": "d_8" }, { q: "document" }, { category: "general" }]) {
      expect(await idsOf(params as Record<string, string>), JSON.stringify(params)).toEqual(["mine"]);
    }
    for (const params of [{ target: "d_8" }, { category: "login" }, { source: "service" }]) {
      expect(await idsOf(params as Record<string, string>), JSON.stringify(params)).toEqual([]);
    }
    const traces = (await actsOf(org, "indelible.read")).filter(({ actor }) => actor?.id === "u_viewer");
    expect(traces.map((trace) => saysOf(trace)["results_count"])).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
  });

  it.each(["", "/proof"])("gets the one it may see%s, and is told of others what is told of none", async (what) => {
    const get = (id: string) =>
      call("GET", `/v1/orgs/${org}/events/${id}${what}`, { key: token, headers: { "x-request-id": "the-same" } });
    expect((await get("mine")).status).toBe(200);
    expect((await get("1")).status).toBe(200);
    for (const id of ["mine", "nothing-at-all"]) expect((await get(id)).headers.get("audit-read-index")).toBeNull();
    const none = await get("nothing-at-all");
    problemOf(none, "not_found");
    for (const id of ["other-thing", "other-kind", "other-type", "0", "2", "3", "4"]) {
      expect([id, (await get(id)).text]).toEqual([id, none.text]);
    }
  });
});
