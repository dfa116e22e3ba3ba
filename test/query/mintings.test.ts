import { beforeAll, expect, it } from "vitest";
import { problemOf, viewerToken } from "../http/support.ts";
import { call, createOrg } from "../support/client.ts";
import { actsOf, list, saysOf, sizeOf } from "./support.ts";

const THING = { type: "doc", id: "d_1" };

let org = "";
let token = "";
let minted = 0;
beforeAll(async () => {
  org = await createOrg("mintings");
  const changes = { before: null, after: { a: 1 } };
  const body = { action: "doc.create", actor: { type: "user", id: "u" }, targets: [THING], changes };
  expect((await call("POST", `/v1/orgs/${org}/events`, { body })).status).toBe(201);
  for (let n = 0; n < 3; n++) ({ token } = await viewerToken(org, { restriction: { target: THING } }));
  minted = (await sizeOf(org)) - 1;
  await list(org, { min_size: minted + 1, limit: 1 });
});

const historyOf = async (key?: string) =>
  (await call("GET", `/v1/orgs/${org}/targets/doc/d_1/history`, key === undefined ? {} : { key })).json;

it("tokens minted for a thing are listed in its history, and no part of its state", async () => {
  const path = `/v1/orgs/${org}/targets/doc/d_1/history?limit=1`;
  const from = await sizeOf(org);
  await call("GET", path);
  const [trace] = await actsOf(org, "indelible.read", from);
  // One minting is on the page; the state is made of the creation alone.
  expect(saysOf(trace)).toMatchObject({ results_count: 2 });
  const { data, state } = await historyOf();
  expect(data.map(({ action }: any) => action)).toEqual([
    ...Array.from({ length: 3 }, () => "indelible.viewer_token.issued"),
    "doc.create",
  ]);
  expect(state).toMatchObject({ complete: true, members: { a: 1 } });
});

it("who may see a thing alone is not told who else looks at it", async () => {
  const { data, state } = await historyOf(token);
  expect(data.map(({ action }: any) => action)).toEqual(["doc.create"]);
  expect(state).toMatchObject({ complete: true });
  expect((await list(org, {}, token)).json.data).toHaveLength(1);
  problemOf(await call("GET", `/v1/orgs/${org}/events/${minted}`, { key: token }), "not_found");
});
