import { beforeAll, describe, expect, it } from "vitest";
import { call, createOrg, event } from "../support/client.ts";
import { memberErrors, problemOf } from "./support.ts";

let org = "";
beforeAll(async () => {
  org = await createOrg("limits");
});

const post = (body: unknown) => call("POST", `/v1/orgs/${org}/events`, { body });

/** An event of exactly so many bytes of JSON. */
function eventOf(bytes: number): string {
  const empty = JSON.stringify({ ...event(1), metadata: "" });
  return JSON.stringify({ ...event(1), metadata: "x".repeat(bytes - empty.length) });
}

const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const target = (n: number) => ({ type: "document", id: `d_${n}` });
const people = (type: string, id: string) => ({ ...event(1), actor: { type, id } });

/** What just fits, what is one too much, where that is, and the number the message must have. */
const LIMITS: [what: string, fits: unknown, exceeds: unknown, pointer: string, number: string][] = [
  ["100,000 bytes an event", eventOf(100_000), eventOf(100_001), "", "100000"],
  [
    "50 targets",
    { ...event(1), targets: Array.from({ length: 50 }, (_, n) => target(n)) },
    { ...event(1), targets: Array.from({ length: 51 }, (_, n) => target(n)) },
    "/targets",
    "50",
  ],
  [
    "64 levels",
    `{"action":"a.b","actor":{"type":"u","id":"1"},"metadata":${nested(63)}}`,
    `{"action":"a.b","actor":{"type":"u","id":"1"},"metadata":${nested(64)}}`,
    "/metadata",
    "64",
  ],
  [
    "200 characters of an action",
    { ...event(1), action: "a".repeat(200) },
    { ...event(1), action: "a".repeat(201) },
    "/action",
    "200",
  ],
  [
    "8 parts of an action",
    { ...event(1), action: "a.b.c.d.e.f.g.h" },
    { ...event(1), action: "a.b.c.d.e.f.g.h.i" },
    "/action",
    "8",
  ],
  ["100 characters of a type", people("t".repeat(100), "1"), people("t".repeat(101), "1"), "/actor/type", "100"],
  ["200 characters of an id", people("t", "i".repeat(200)), people("t", "i".repeat(201)), "/actor/id", "200"],
  [
    "200 characters of an event's id",
    event(1, { id: "i".repeat(200) }),
    event(1, { id: "i".repeat(201) }),
    "/id",
    "200",
  ],
  [
    "100 characters of a role",
    { ...event(1), targets: [{ ...target(1), role: "r".repeat(100) }] },
    { ...event(1), targets: [{ ...target(1), role: "r".repeat(101) }] },
    "/targets/0/role",
    "100",
  ],
  [
    "1,000 changed fields",
    { ...event(1), changes: { fields: Array.from({ length: 1_000 }, (_, n) => `f${n}`) } },
    { ...event(1), changes: { fields: Array.from({ length: 1_001 }, (_, n) => `f${n}`) } },
    "/changes/fields",
    "1000",
  ],
];

describe("limits of an event", () => {
  it.each(LIMITS)("takes %s, and refuses one more with the number in the message", async (_, fits, exceeds, at, n) => {
    const taken = await post(fits);
    expect(taken.status, taken.text.slice(0, 500)).toBe(201);
    const errors = memberErrors(await post(exceeds), "invalid_event");
    const [pointer] = Object.keys(errors);
    // A value too deep is named at the depth where it goes too far.
    expect(pointer?.startsWith(at)).toBe(true);
    expect(errors[pointer as string]).toContain(n);
  });

  it("counts bytes, not characters", async () => {
    const wide = { ...event(1), metadata: "ü".repeat(50_000) };
    expect(Object.values(memberErrors(await post(wide), "invalid_event"))[0]).toContain("100000");
  });

  it("counts the depth of each event of a batch from the event", async () => {
    const deep = (levels: number) =>
      `{"events":[{"action":"a.b","actor":{"type":"u","id":"1"},"metadata":${nested(levels)}}]}`;
    expect((await post(deep(63))).status).toBe(201);
    expect(Object.keys(memberErrors(await post(deep(64)), "invalid_event"))[0]).toMatch(/^\/events\/0\/metadata/);
  });
});

describe("limits of a request", () => {
  it("takes 1,000 events, and refuses 1,001 with the number in the message", async () => {
    const events = (count: number) => ({ events: Array.from({ length: count }, (_, n) => event(n)) });
    expect((await post(events(1_000))).status).toBe(201);
    expect(problemOf(await post(events(1_001)), "too_large").detail).toMatch(/1000.*1001/);
    const lines = events(1_001).events.map((one) => JSON.stringify(one));
    const headers = { "content-type": "application/x-ndjson" };
    const refused = await call("POST", `/v1/orgs/${org}/events`, { body: lines.join("\n"), headers });
    expect(problemOf(refused, "too_large").detail).toContain("1000");
  });

  it("takes 4,000,000 bytes, and refuses one more, announced or not", async () => {
    const events = Array.from({ length: 40 }, () => eventOf(99_900));
    const body = `{"events":[${events.join(",")}]}`;
    const padded = body + " ".repeat(4_000_000 - body.length);
    const taken = await post(padded);
    expect(taken.status, taken.text.slice(0, 500)).toBe(201);
    expect(problemOf(await post(`${padded} `), "too_large").detail).toContain("4000000");
    expect(problemOf(await post(`{"events":[${" ".repeat(5_000_000)}]}`), "too_large").detail).toContain("4000000");
    expect(problemOf(await post(new Uint8Array(5_000_000)), "too_large").detail).toContain("4000000");
  });

  it("reads a body no further than the limit when nothing announced its length", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(100_000).fill(0x20));
        if (pulled === 1_000) controller.close();
      },
    });
    const { exports, env } = await import("cloudflare:workers");
    const headers = { authorization: `Bearer ${env.ROOT_KEY}`, "content-type": "application/json" };
    const request = new Request(`http://log.test/v1/orgs/${org}/events`, { method: "POST", body, headers });
    const response = await exports.default.fetch(request);
    expect(response.status).toBe(413);
    await response.text();
    expect(pulled).toBeLessThan(200);
  });
});
