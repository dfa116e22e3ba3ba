import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { call, createOrg } from "../support/client.ts";
import { memberErrors, problemOf } from "./support.ts";

let org = "";
let sent = 0;
beforeAll(async () => {
  org = await createOrg("hostile");
});

const post = (body: unknown) => call("POST", `/v1/orgs/${org}/events`, { body });

/** An event whose free values are these very texts. */
function eventText(id: string, metadata: string): string {
  const party = (free: string) => `{"type":"t","id":"i","metadata":${free}}`;
  const changes = `"changes":{"before":${metadata},"after":${metadata}}`;
  const parties = `"actor":${party(metadata)},"on_behalf_of":${party(metadata)},"targets":[${party(metadata)}]`;
  return `{"id":"${id}","action":"a.b",${parties},${changes},"metadata":${metadata}}`;
}

/** Sends free values and reads them back: each of the six places must hold the same text, character for character. */
async function expectKept(metadata: string): Promise<void> {
  const id = `kept-${sent++}`;
  const taken = await post(eventText(id, metadata));
  expect(taken.status, taken.text).toBe(201);
  const { text } = await call("GET", `/v1/orgs/${org}/events/${id}`);
  const party = `"type":"t","id":"i","metadata":${metadata}}`;
  expect(text).toContain(`"actor":{${party},"on_behalf_of":{${party},"targets":[{${party}]`);
  expect(text).toContain(`"changes":{"before":${metadata},"after":${metadata}}`);
  expect(text).toContain(`"metadata":${metadata},"index":`);
  const list = await call("GET", `/v1/orgs/${org}/events?limit=3`);
  expect(list.text).toContain(`"metadata":${metadata},"index":`);
}

const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

describe("free values", () => {
  it.each([
    ["64-bit integers", '{"big":9223372036854775807,"neg":-9223372036854775808,"more":123456789012345678901234567890}'],
    ["trailing zeros", "[1.10,1.0,100e-2,0.0]"],
    ["minus zero", "[-0,-0.0,-0e0]"],
    ["numbers past any float", "[1e400,-1e400,1e-400,2E+0308]"],
    ["integer-like member names, in their order", '{"10":1,"9":2,"-1":3,"b":4,"1":5,"a":6,"01":7}'],
    ["duplicate member names", '{"a":1,"a":2,"\\u0061":3}'],
    ["lone surrogates, escaped", '["\\ud800","\\udc00x","\\ud83d","\\uD83D\\uDE00"]'],
    ["NUL and other controls, escaped", '["\\u0000","a\\u0000b","\\u001f\\u007f\\b\\f"]'],
    ["__proto__, constructor and prototype", '{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}'],
    ["escapes nobody needs", '["\\/","\\u002f","\\u0041","\\\\","\\""]'],
    ["white space of all four kinds", '{ "a" :\t[ 1 ,\r\n 2 ] , "b" : { } }'],
    ["any Unicode", '["ÄÖ","日本語","🏳️‍🌈","\u2028\u2029","\ufeff","e\u0301","\u{10ffff}"]'],
    ["a depth of 64 in all", `[${"[".repeat(60)}${"]".repeat(60)}]`],
    ["a bare string", '"just text"'],
    ["null", "null"],
    ["false", "false"],
    ["closing brackets in strings", '{"a":"}]}\\"],","b":["\\\\"]}'],
    ["what looks like a record", '{"leaf":"{\\"index\\":0}","sections":{},"absent":[{"section":"event"}]}'],
  ])("keeps %s", async (_, metadata) => {
    await expectKept(metadata);
  });

  it("keeps whatever JSON there is, with whatever white space", async () => {
    const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 });
    const json = fc.json({ stringUnit: "binary", maxDepth: 6 });
    await fc.assert(
      fc.asyncProperty(json, space, space, async (text, before, after) => {
        await expectKept(`[${before}${text}${after}]`);
      }),
      { numRuns: 60 },
    );
  });
});

describe("depth", () => {
  it.each([65, 1_000, 20_000])("refuses %i levels of objects, by pointer and with the limit", async (levels) => {
    const refused = await post(`{"action":"a.b","actor":{"type":"u","id":"1"},"metadata":${nested(levels)}}`);
    const [[pointer, message] = []] = Object.entries(memberErrors(refused, "invalid_event"));
    expect(pointer).toMatch(/^\/metadata/);
    expect(message).toContain("64");
  });

  it.each([
    ["arrays", `${"[".repeat(20_000)}${"]".repeat(20_000)}`],
    ["a bad event", `{"action":${"[".repeat(20_000)}${"]".repeat(20_000)}}`],
    ["a batch", `{"events":${"[".repeat(20_000)}${"]".repeat(20_000)}}`],
  ])("refuses 20,000 levels of %s with a reason", async (_, text) => {
    const refused = await post(text);
    expect(problemOf(refused, "invalid_event").errors?.length).toBeGreaterThan(0);
  });

  it("refuses depth in small bodies as it refuses any other shape", async () => {
    const body = `{"name":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    const refused = await call("PUT", `/v1/orgs/${org}`, { body });
    expect(Object.keys(memberErrors(refused, "invalid_request"))).toEqual(["/name"]);
  });
});

const SYNTAX = [
  "'; drop table entry_00; --",
  '" or 1=1 --',
  "%_[^a]*?",
  "actor:u_1 OR NEAR(a b, 3) -x",
  'don\'t "quote" {col}: ^start*',
  "\ue001deadbeefdeadbeef",
  "$(reboot) `id` ${x} {{7*7}}",
  "<script>alert(1)</script>",
  "../../etc/passwd",
  "\u202ereversed\u200b",
];

describe.each(SYNTAX)("syntax as a value: %j", (text) => {
  it("stands in every field as sent, is found by exactly that, and finds nothing else", async () => {
    const id = `syntax-${sent++}`;
    const person = { type: text, id: text, name: text, metadata: { [text]: text } };
    const event = {
      id,
      action: text.replaceAll(".", "_"),
      actor: { ...person, email: text },
      targets: [{ ...person, role: text }],
      outcome: { result: "failure", error_code: text, error_message: text },
      context: { ip: text, user_agent: text, session_id: text, request_id: text, location: text },
      changes: { before: text, after: { [text]: text }, fields: [text] },
      reason: text,
      metadata: { [text]: text },
    };
    const taken = await post(event);
    expect(taken.status, taken.text).toBe(201);
    expect((await call("GET", `/v1/orgs/${org}/events/${id}`)).json).toMatchObject(event);
    for (const filter of ["actor", "target", "target_type", "ip", "session_id", "request_id", "action"]) {
      const value = filter === "action" ? event.action : text;
      const query = new URLSearchParams({ [filter]: value, min_size: String(taken.json.size) });
      const found = await call("GET", `/v1/orgs/${org}/events?${query.toString()}`);
      expect(
        found.json?.data?.map((one: any) => one.id),
        `${filter} ${found.text.slice(0, 300)}`,
      ).toEqual([id]);
    }
    const stranger = new URLSearchParams({ actor: `${text}x` }).toString();
    const nobody = await call("GET", `/v1/orgs/${org}/events?${stranger}`);
    expect(nobody.json.data).toEqual([]);
  });
});
