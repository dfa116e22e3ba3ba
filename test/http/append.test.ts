import { beforeEach, describe, expect, it } from "vitest";
import { acceptedSchema, appendedSchema, entrySchema } from "../../src/schema/answers.ts";
import { type Answer, call, createOrg, event } from "../support/client.ts";
import { conforms, memberErrors, problemOf } from "./support.ts";

let org = "";
beforeEach(async () => {
  org = await createOrg("append");
});

type More = { key?: string; headers?: Record<string, string> };
const post = (body: unknown, more: More = {}): Promise<Answer> =>
  call("POST", `/v1/orgs/${org}/events`, { body, ...more });
const ndjson = (body: string, more: More = {}) =>
  post(body, { ...more, headers: { "content-type": "application/x-ndjson", ...more.headers } });
const get = async (id: string | number) => (await call("GET", `/v1/orgs/${org}/events/${id}`)).json;
const size = async () => (await call("GET", `/v1/orgs/${org}`)).json.size;

describe("what a request may hold", () => {
  it("takes one event, and answers its receipt", async () => {
    const answer = await post(event(1, { id: "one" }));
    const { data } = conforms(appendedSchema, answer.json);
    expect(data).toMatchObject([{ id: "one", index: 1, duplicate: false }]);
    expect(answer.json.size).toBe(2);
    expect((await get("one")).entry_hash).toBe(data[0]?.entry_hash);
  });

  it("takes many, and answers receipts in the order sent, with ids for those that brought none", async () => {
    const events = [event(1, { id: "a" }), event(2), event(3, { id: "c" }), event(4)];
    const { data } = (await post({ events })).json;
    expect(data.map((receipt: any) => receipt.index)).toEqual([1, 2, 3, 4]);
    expect([data[0].id, data[2].id]).toEqual(["a", "c"]);
    expect(data[1].id).toMatch(/^evt_[a-z2-7]{24}\.1$/);
    expect(await get(data[3].id)).toMatchObject({ index: 4, metadata: { n: 4 }, position: 3 });
  });

  it("takes NDJSON with blank lines and CRLF, one event a line", async () => {
    const lines = [event(1, { id: "a" }), event(2, { id: "b" }), event(3, { id: "c" })].map((one) =>
      JSON.stringify(one),
    );
    const answer = await ndjson(`\r\n${lines[0]}\r\n\n   \n${lines[1]}\n${lines[2]}`);
    expect(answer.status, answer.text).toBe(201);
    expect(answer.json.data.map((receipt: any) => receipt.id)).toEqual(["a", "b", "c"]);
    expect((await ndjson(lines[0] as string, { headers: { "content-type": "application/ndjson" } })).status).toBe(201);
  });

  it("names a bad line of NDJSON by its number and its event by pointer, and appends nothing", async () => {
    const refused = await ndjson(`${JSON.stringify(event(1))}\n\n{"action":\n${JSON.stringify({ action: "a.b" })}`);
    const errors = memberErrors(refused, "invalid_event");
    expect(errors["/events/1"]).toMatch(/^line 3 is not JSON/);
    expect(await size()).toBe(1);
  });

  it("names bad members of NDJSON events by pointer", async () => {
    const refused = await ndjson(`${JSON.stringify(event(1))}\n${JSON.stringify({ action: "a.b" })}`);
    expect(Object.keys(memberErrors(refused, "invalid_event"))).toEqual(["/events/1/actor"]);
  });

  it("is all or nothing: one bad event refuses all, and every bad one is named", async () => {
    const refused = await post({ events: [event(1), { ...event(2), action: "" }, event(3), { actor: 7 }] });
    const pointers = Object.keys(memberErrors(refused, "invalid_event"));
    expect(pointers).toEqual(["/events/1/action", "/events/3/action", "/events/3/actor"]);
    expect(refused.json.detail).toContain("Nothing was appended");
    expect(await size()).toBe(1);
  });

  it.each(["text/plain", "application/xml", "multipart/form-data", "application/jsonp", ""])(
    "refuses content type %j",
    async (type) => {
      problemOf(await post(JSON.stringify(event(1)), { headers: { "content-type": type } }), "unsupported_media_type");
    },
  );

  it.each(["gzip", "br", "deflate, gzip"])("refuses content-encoding %s, and takes identity", async (encoding) => {
    problemOf(await post(event(1), { headers: { "content-encoding": encoding } }), "unsupported_media_type");
    expect((await post(event(1), { headers: { "content-encoding": "identity" } })).status).toBe(201);
  });

  it.each([
    ["a lone continuation byte", [0x80]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["a surrogate half", [0xed, 0xa0, 0x80]],
    ["a cut sequence", [0xe2, 0x82]],
    ["a code point past the last", [0xf4, 0x90, 0x80, 0x80]],
  ])("refuses invalid UTF-8: %s", async (_, bytes) => {
    const [before, after] = ['{"action":"a.b","actor":{"type":"u","id":"', '"}}'].map((text) => Buffer.from(text));
    const body = new Uint8Array(Buffer.concat([before!, Buffer.from(bytes), after!]));
    expect(problemOf(await post(body), "invalid_request").detail).toContain("UTF-8");
    expect(await size()).toBe(1);
  });
});

describe("an entry as answered", () => {
  it("has the event's members with defaults, and all that sealing added", async () => {
    const full = {
      id: "full",
      action: "document.share",
      category: "data_modification",
      occurred_at: "2026-11-21T18:59:58.123456+01:00",
      version: 3,
      actor: { type: "user", id: "u_17", name: "Jane", email: "jane@example.com", metadata: { a: [1] } },
      on_behalf_of: { type: "user", id: "u_3", name: "Kim", email: "k@example.com", metadata: null },
      targets: [
        { type: "document", id: "d_9", role: "subject", name: "Q4 plan", metadata: {} },
        { type: "folder", id: "f_1" },
      ],
      outcome: { result: "denied", error_code: "E1", error_message: "no" },
      context: { ip: "192.0.2.1", user_agent: "UA", session_id: "s", request_id: "r", trace_id: "t", location: "l" },
      changes: { before: { a: 1 }, after: null, fields: ["a"] },
      reason: "quarterly review",
      metadata: { deep: { er: [true, null] } },
    };
    expect((await post(full)).status).toBe(201);
    const entry = conforms(entrySchema, await get("full"));
    expect(entry).toMatchObject(full);
    expect(entry).toMatchObject({
      index: 1,
      source: "client",
      delivery: "direct",
      key: "root",
      position: 0,
      absent: [],
    });
    expect(entry.log).toMatch(new RegExp(`/v1/orgs/${org}$`));
  });

  it("has defaults for what was not sent, and leaves out what has none", async () => {
    await post({ id: "bare", action: "a.b", actor: { type: "user", id: "1" } });
    const entry = conforms(entrySchema, await get("bare"));
    expect(entry).toMatchObject({ version: 1, category: "general", outcome: { result: "success" } });
    expect(entry.occurred_at).toBe(entry.received_at);
    for (const name of ["targets", "context", "changes", "reason", "metadata", "on_behalf_of"]) {
      expect(entry).not.toHaveProperty(name);
    }
  });

  it("keeps what was sent empty apart from what was not sent", async () => {
    await post({ ...event(1), id: "empty", context: {}, changes: {}, outcome: {}, metadata: {} });
    expect(await get("empty")).toMatchObject({
      context: {},
      changes: {},
      outcome: { result: "success" },
      metadata: {},
    });
  });
});

describe("headers of an append", () => {
  it.each(["apiKey.create", "Login", "user-created", "user.Deleted"])("warns of %s and takes it", async (action) => {
    const answer = await post({ ...event(1), action });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("audit-warnings")).toContain(`"${action}"`);
  });

  it("does not warn of a good name, and names each doubtful one once, five at most", async () => {
    expect((await post(event(1))).headers.get("audit-warnings")).toBeNull();
    const events = ["A.b", "A.b", "B.c", "C.d", "D.e", "E.f", "F.g"].map((action) => ({ ...event(1), action }));
    const warnings = (await post({ events })).headers.get("audit-warnings") ?? "";
    expect(warnings.split("; ")).toHaveLength(5);
  });

  it("answers the same again under one Idempotency-Key, and 409 to another body", async () => {
    const headers = { "idempotency-key": "order-417" };
    const first = await post({ events: [event(1), event(2)] }, { headers });
    const again = await post({ events: [event(1), event(2)] }, { headers });
    expect(again.status).toBe(201);
    expect(again.json.data).toEqual(first.json.data);
    problemOf(await post({ events: [event(1), event(3)] }, { headers }), "conflict");
    expect(await size()).toBe(3);
  });

  it.each(["has space", "ü", "x".repeat(201), "a\tb"])("refuses %j as Idempotency-Key, with the limit", async (key) => {
    const refused = await post(event(1), { headers: { "idempotency-key": key } });
    expect(problemOf(refused, "invalid_request").detail).toContain("200");
  });

  it("answers a known id with its first receipt, and 409 by pointer when the event is another", async () => {
    const first = await post(event(1, { id: "inv-1" }));
    const again = await post({ events: [event(5), event(1, { id: "inv-1" })] });
    expect(again.json.data[1]).toEqual({ ...first.json.data[0], duplicate: true });
    const refused = await post({ events: [event(6), event(2, { id: "inv-1" })] });
    expect(Object.keys(memberErrors(refused, "conflict"))).toEqual(["/events/1/id"]);
    expect(await size()).toBe(3);
  });

  it.each(["respond-async", "Respond-Async", "wait=10, respond-async", "respond-async; foo=1"])(
    "hands over for Prefer: %s and answers ids that come true",
    async (prefer) => {
      const answer = await post({ events: [event(1, { id: "q-1" }), event(2)] }, { headers: { prefer } });
      expect(answer.status, answer.text).toBe(202);
      expect(answer.headers.get("preference-applied")).toBe("respond-async");
      const { data } = conforms(acceptedSchema, answer.json);
      expect(data[0]).toEqual({ id: "q-1" });
      await expect.poll(() => get(data[1]?.id as string), { timeout: 20_000 }).toMatchObject({ delivery: "queued" });
      expect(await get("q-1")).toMatchObject({ delivery: "queued", metadata: { n: 1 }, batch: expect.any(String) });
    },
  );

  it.each(["return=minimal", "respond-asynchronously", ""])("appends directly for Prefer: %j", async (prefer) => {
    expect((await post(event(1), { headers: { prefer } })).status).toBe(201);
  });

  it("validates before it hands over", async () => {
    const refused = await post({ action: "a.b" }, { headers: { prefer: "respond-async" } });
    expect(Object.keys(memberErrors(refused, "invalid_event"))).toEqual(["/actor"]);
  });

  it("marks imported history, directly and through the queue", async () => {
    const headers = { "audit-delivery": "import" };
    await post(event(1, { id: "old-1", occurred_at: "2019-01-01T00:00:00Z" }), { headers });
    expect(await get("old-1")).toMatchObject({ delivery: "import", occurred_at: "2019-01-01T00:00:00Z" });
    await post(event(2, { id: "old-2" }), { headers: { ...headers, prefer: "respond-async" } });
    await expect.poll(() => get("old-2"), { timeout: 20_000 }).toMatchObject({ delivery: "import" });
  });
});
