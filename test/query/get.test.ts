import { beforeAll, describe, expect, it } from "vitest";
import { entrySchema } from "../../src/schema/answers.ts";
import { call, createOrg, event } from "../support/client.ts";
import { conforms, orgKey, problemOf } from "../http/support.ts";
import { actsOf, list } from "./support.ts";

let org = "";
beforeAll(async () => {
  org = await createOrg("get");
});

const get = (id: string | number, key?: string) =>
  call("GET", `/v1/orgs/${org}/events/${encodeURIComponent(id)}`, key === undefined ? {} : { key });
const append = (body: unknown) => call("POST", `/v1/orgs/${org}/events`, { body });

describe("getting one entry", () => {
  it("finds it by id and by index, the same text", async () => {
    const { json } = await append(event(1, { id: "by-id" }));
    const byId = await get("by-id");
    const byIndex = await get(json.data[0].index);
    expect(conforms(entrySchema, byId.json)).toMatchObject({ id: "by-id", entry_hash: json.data[0].entry_hash });
    expect(byIndex.text).toBe(byId.text);
  });

  it.each(["a:b@c~d+e=f-g_h.i", "A".repeat(200), "0x", "1a", "1."])("finds the id %s", async (id) => {
    await append(event(1, { id }));
    expect((await get(id)).json.id).toBe(id);
  });

  it("finds an id that the service made", async () => {
    const { json } = await append(event(1));
    expect((await get(json.data[0].id)).json.index).toBe(json.data[0].index);
  });

  it("takes a path of digits for an index, whatever ids there are", async () => {
    expect((await get("0")).json).toMatchObject({ index: 0, action: "indelible.org.created" });
    expect((await get("00")).json.index).toBe(0);
  });

  it("is found the moment it was acknowledged", async () => {
    for (let n = 0; n < 5; n++) {
      await append(event(n, { id: `at-once-${n}` }));
      expect((await get(`at-once-${n}`)).status).toBe(200);
    }
  });

  it.each(["nothing", "9999", "4294967296", "99999999999", "%", "a/b", "'", "x".repeat(5_000)])(
    "answers 404 for %s, traced like any other answer",
    async (id) => {
      const answer = await get(id);
      problemOf(answer, "not_found");
      const opened = Number(answer.headers.get("audit-read-index"));
      const trace = (await actsOf(org, "indelible.read", opened))[0];
      expect(trace?.leaf.index).toBe(opened);
      const query = new URLSearchParams({ event: id.slice(0, 200) }).toString();
      expect(trace?.note).toEqual({ query });
      expect(JSON.parse(trace?.metadata ?? "")).toMatchObject({ route: "events.get", results_count: 0, range: null });
    },
  );
});

describe("personal sections", () => {
  const person = {
    id: "personal",
    action: "user.invited",
    actor: { type: "user", id: "u_1", name: "Jane Roe", email: "jane@example.com", metadata: { phone: "555-0100" } },
    on_behalf_of: { type: "user", id: "u_2", name: "John Roe" },
    targets: [
      { type: "user", id: "u_3", name: "Kim Roe" },
      { type: "team", id: "t_1" },
    ],
    context: { ip: "192.0.2.77", user_agent: "Secret/1.0", session_id: "sess-9", request_id: "req-9" },
    reason: "asked for",
    metadata: { plain: true },
  };
  const PERSONAL = ["Roe", "jane@", "555-0100", "192.0.2.77", "Secret/1.0", "sess-9", "req-9"];

  let plain = "";
  let trusted = "";
  beforeAll(async () => {
    plain = (await orgKey(org, ["events:read"])).key;
    trusted = (await orgKey(org, ["events:read", "personal:read"])).key;
    await append(person);
  });

  it("are there for a key with personal:read", async () => {
    const { json } = await get("personal", trusted);
    expect(json).toMatchObject(person);
    expect(json.absent).toEqual([]);
  });

  it("are withheld from a key without, each named as absent, in a get and in a list", async () => {
    const got = await get("personal", plain);
    const listed = await list(org, { action: "user.invited" }, plain);
    for (const { json, text } of [got, { json: listed.json.data[0], text: listed.text }]) {
      const entry = conforms(entrySchema, json);
      expect(entry.absent.toSorted((a, b) => (a.section < b.section ? -1 : 1))).toEqual(
        ["actor/detail", "context", "on_behalf_of/detail", "target/0/detail"].map((section) => {
          return { section, cause: "withheld" };
        }),
      );
      expect(entry).toMatchObject({
        actor: { type: "user", id: "u_1" },
        reason: "asked for",
        metadata: { plain: true },
      });
      for (const secret of PERSONAL) expect(text).not.toContain(secret);
    }
  });

  it("cannot be probed by filters without personal:read", async () => {
    for (const filter of [{ ip: "192.0.2.77" }, { session_id: "sess-9" }, { request_id: "req-9" }]) {
      expect(problemOf(await list(org, filter, plain), "forbidden").detail).toContain("personal:read");
      expect((await list(org, filter, trusted)).json.data.map(({ id }: any) => id)).toEqual(["personal"]);
    }
  });

  it("do not stand in the way of filters on what is not personal", async () => {
    expect((await list(org, { actor: "u_1", target: "u_3" }, plain)).json.data).toHaveLength(1);
  });
});
