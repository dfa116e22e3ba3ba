import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { configOf } from "../../src/env.ts";
import { monthsOf } from "../../src/query/logs.ts";
import { knownTermKey } from "../../src/query/term-key.ts";
import { findEntries } from "../../src/store/list-entries.ts";
import { ROOT } from "../support/append.ts";
import { call, createOrg } from "../support/client.ts";
import { untilProjected } from "../support/check-ledger.ts";
import { actsOf, list } from "./support.ts";

let org = "";
beforeAll(async () => {
  org = await createOrg("quoted");
  const queries = ["actor=u_17", "target=u_17&result=denied", "on_behalf_of=u_17", "ip=192.0.2.7", "action=u_17"];
  for (const query of queries) expect((await call("GET", `/v1/orgs/${org}/events?${query}`)).status, query).toBe(200);
  await call("GET", `/v1/orgs/${org}/events/mail-u_18`);
});

/** Indexes of the entries whose query quotes a text, as who has to forget somebody finds them. */
async function quoting(text: string): Promise<number[]> {
  const config = configOf(env);
  const caller = { ...ROOT, scopes: ["events:read"] as const };
  const granted = await env.ORG_LEDGER.getByName(org).authorize(org, caller, "events:read");
  if (!granted.ok) throw new Error(granted.refusal.detail);
  const { placements, visible } = granted.value;
  const [placement] = placements;
  const cell = config.cells.get(placement?.cell ?? "");
  if (placement === undefined || cell === undefined) throw new Error("no placement");
  const range = { placement, low: 0, high: visible, months: monthsOf(granted.value) };
  const filter = [{ field: "quoted", values: [text], exclude: false }] as const;
  const wanted = { termKey: knownTermKey(config, org), filter, limit: 100, max_bytes: 1_000_000 };
  return (await findEntries(cell, range, wanted)).map(({ index }) => index).sort((a, b) => a - b);
}

describe("a trace whose query quotes somebody", () => {
  it("is found by their id, in whatever role it was asked for", async () => {
    await untilProjected(org);
    const traces = await actsOf(org, "indelible.read");
    const of = (text: string) => traces.filter(({ note }) => note?.query?.includes(text)).map(({ leaf }) => leaf.index);
    expect(await quoting("u_17")).toEqual(of("=u_17").filter((index) => !of("action=").includes(index)));
    expect(await quoting("u_17")).toHaveLength(3);
    expect(await quoting("192.0.2.7")).toEqual(of("192.0.2.7"));
    expect(await quoting("mail-u_18")).toEqual(of("mail-u_18"));
    expect(await quoting("u_1")).toEqual([]);
  });

  it("is found by nobody else that way: no parameter asks for it", async () => {
    for (const name of ["quoted", "-quoted", "query", "note"]) {
      expect((await list(org, { [name]: "u_17" })).status, name).toBe(400);
    }
    for (const params of [{ actor: "u_17" }, { target: "u_17" }, { session_id: "u_17" }]) {
      expect((await list(org, { ...params, source: "service" })).json.data).toEqual([]);
    }
  });
});
