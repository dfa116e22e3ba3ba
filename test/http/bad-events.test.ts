import { beforeAll, describe, expect, it } from "vitest";
import { call, createOrg } from "../support/client.ts";
import { memberErrors, problemOf } from "./support.ts";

let org = "";
beforeAll(async () => {
  org = await createOrg("bad");
});

const post = (body: unknown) => call("POST", `/v1/orgs/${org}/events`, { body });

const GOOD = { action: "a.b", actor: { type: "user", id: "1" } };

/** An event with something wrong, the pointers that must be named, and what the first message must say. */
const BAD: [name: string, event: unknown, pointers: string[], says: RegExp][] = [
  ["null", null, [""], /object/],
  ["a number", 7, [""], /object/],
  ["a string", "a.b", [""], /object/],
  ["an array", [GOOD], [""], /object/],
  ["nothing", {}, ["/action", "/actor"], /string/],
  ["no actor", { action: "a.b" }, ["/actor"], /object/],
  ["an actor without type and id", { ...GOOD, actor: {} }, ["/actor/type", "/actor/id"], /string/],
  ["an actor that is a name", { ...GOOD, actor: "jane" }, ["/actor"], /object/],
  ["an empty actor id", { ...GOOD, actor: { type: "u", id: "" } }, ["/actor/id"], /empty/],
  ["an actor id that is a number", { ...GOOD, actor: { type: "u", id: 7 } }, ["/actor/id"], /string/],
  ["an actor type with a newline", { ...GOOD, actor: { type: "u\n", id: "1" } }, ["/actor/type"], /control/],
  ["an actor with a role", { ...GOOD, actor: { type: "u", id: "1", role: "x" } }, ["/actor/role"], /not a member/],
  ["an actor name that is null", { ...GOOD, actor: { type: "u", id: "1", name: null } }, ["/actor/name"], /string/],
  ["an empty action", { ...GOOD, action: "" }, ["/action"], /empty/],
  ["an action with an empty part", { ...GOOD, action: "a..b" }, ["/action"], /empty part/],
  ["an action ending in a dot", { ...GOOD, action: "a." }, ["/action"], /empty part/],
  ["an action of 9 parts", { ...GOOD, action: "a.b.c.d.e.f.g.h.i" }, ["/action"], /at most 8/],
  ["an action with NUL", { ...GOOD, action: "a.b\0" }, ["/action"], /control/],
  ["an action with a lone surrogate", { ...GOOD, action: "a.\ud800" }, ["/action"], /surrogate/],
  ["an action of the service", { ...GOOD, action: "indelible.read" }, ["/action"], /must not begin with indelible\./],
  ["a category nobody knows", { ...GOOD, category: "secret" }, ["/category"], /log_access/],
  ["an id of digits only", { ...GOOD, id: "12345" }, ["/id"], /not a digit/],
  ["an id beginning with a dash", { ...GOOD, id: "-a" }, ["/id"], /beginning with a letter or digit/],
  ["an id with a slash", { ...GOOD, id: "a/b" }, ["/id"], /1 to 200 characters/],
  ["an empty id", { ...GOOD, id: "" }, ["/id"], /1 to 200 characters/],
  ["a date without time", { ...GOOD, occurred_at: "2026-11-21" }, ["/occurred_at"], /RFC 3339/],
  ["a 30th of February", { ...GOOD, occurred_at: "2026-02-30T00:00:00Z" }, ["/occurred_at"], /RFC 3339/],
  ["an hour 24", { ...GOOD, occurred_at: "2026-02-03T24:00:00Z" }, ["/occurred_at"], /RFC 3339/],
  ["a time without zone", { ...GOOD, occurred_at: "2026-02-03T00:00:00" }, ["/occurred_at"], /RFC 3339/],
  ["milliseconds as time", { ...GOOD, occurred_at: 1763751600000 }, ["/occurred_at"], /string/],
  ["a version of 0", { ...GOOD, version: 0 }, ["/version"], /1/],
  ["a version of 1.5", { ...GOOD, version: 1.5 }, ["/version"], /int/],
  ["a version past the limit", { ...GOOD, version: 1_000_001 }, ["/version"], /1000000/],
  ["no target in targets", { ...GOOD, targets: [] }, ["/targets"], /1/],
  ["targets that are one", { ...GOOD, targets: { type: "d", id: "1" } }, ["/targets"], /array/],
  ["a target without id", { ...GOOD, targets: [{ type: "d", id: "1" }, { type: "d" }] }, ["/targets/1/id"], /string/],
  [
    "a target with an email",
    { ...GOOD, targets: [{ type: "d", id: "1", email: "x" }] },
    ["/targets/0/email"],
    /not a member/,
  ],
  ["an unknown result", { ...GOOD, outcome: { result: "ok" } }, ["/outcome/result"], /success/],
  ["an unknown member of outcome", { ...GOOD, outcome: { status: 1 } }, ["/outcome/status"], /not a member/],
  ["an ip that is a number", { ...GOOD, context: { ip: 1 } }, ["/context/ip"], /string/],
  ["a context of one's own", { ...GOOD, context: { "a/b~c": "x" } }, ["/context/a~1b~0c"], /not a member/],
  ["fields that are no strings", { ...GOOD, changes: { fields: ["a", 1] } }, ["/changes/fields/1"], /string/],
  ["an unknown member of changes", { ...GOOD, changes: { diff: {} } }, ["/changes/diff"], /not a member/],
  ["a reason that is a list", { ...GOOD, reason: ["x"] }, ["/reason"], /string/],
  ["an org in the event", { ...GOOD, org: "acme" }, ["/org"], /not a member/],
  ["members of ours", { ...GOOD, index: 1, prev: "x", source: "service" }, ["/index", "/prev", "/source"], /not a/],
  ["one acted for without id", { ...GOOD, on_behalf_of: { type: "u" } }, ["/on_behalf_of/id"], /string/],
];

describe("an event that is not valid", () => {
  it.each(BAD)("is refused for %s, by pointer, alone and among others", async (_, event, pointers, says) => {
    const among = memberErrors(await post({ events: [GOOD, event] }), "invalid_event");
    expect(Object.keys(among).sort()).toEqual(pointers.map((pointer) => `/events/1${pointer}`).sort());
    expect(among[`/events/1${pointers[0]}`]).toMatch(says);
    const alone = memberErrors(await post(JSON.stringify(event)), "invalid_event");
    expect(Object.keys(alone).sort()).toEqual(pointers.toSorted());
  });

  it.each([
    ["a name given twice", '{"action":"a.b","action":"c.d","actor":{"type":"u","id":"1"}}', "/action"],
    ["a name given twice, once escaped", '{"action":"a.b","actor":{"type":"u","id":"1","\\u0069d":"2"}}', "/actor/id"],
    ["__proto__ beside the members", '{"action":"a.b","actor":{"type":"u","id":"1"},"__proto__":{}}', "/__proto__"],
    ["__proto__ in the actor", '{"action":"a.b","actor":{"type":"u","__proto__":{"id":"1"}}}', "/actor/__proto__"],
    [
      "an escaped __proto__ in context",
      '{"action":"a.b","actor":{"type":"u","id":"1"},"context":{"__pro\\u0074o__":"x"}}',
      "/context/__proto__",
    ],
  ])("is refused for %s", async (_, text, pointer) => {
    expect(Object.keys(memberErrors(await post(text), "invalid_event"))).toContain(pointer);
    const among = memberErrors(await post(`{"events":[${text}]}`), "invalid_event");
    expect(Object.keys(among)).toContain(`/events/0${pointer}`);
  });

  it.each([
    ["an empty list", '{"events":[]}', "/events"],
    ["a list that is none", '{"events":{}}', "/events"],
    ["more beside the list", `{"events":[${JSON.stringify(GOOD)}],"org":"x"}`, "/org"],
  ])("a batch is refused for %s", async (_, text, pointer) => {
    expect(Object.keys(memberErrors(await post(text), "invalid_event"))).toEqual([pointer]);
  });

  it.each(["", "{", "[]]", "{'a':1}", '{"action":"a.b",}', "NaN", "\u{0}"])(
    "a body that is not JSON: %j",
    async (text) => {
      expect(problemOf(await post(text), "invalid_request").detail).toContain("not JSON");
    },
  );

  it("names at most 100 bad members, and says that there are more", async () => {
    const refused = await post({ events: Array.from({ length: 200 }, () => ({ ...GOOD, action: "" })) });
    expect(Object.keys(memberErrors(refused, "invalid_event"))).toHaveLength(100);
  });

  it("leaves nothing in the log, whatever was sent", async () => {
    expect((await call("GET", `/v1/orgs/${org}`)).json.size).toBe(1);
  });
});
