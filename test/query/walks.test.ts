import { beforeAll, describe, expect, it } from "vitest";
import { call, createOrg, event } from "../support/client.ts";
import { memberErrors, orgKey, problemOf } from "../http/support.ts";
import { list, walk } from "./support.ts";

let org = "";
let other = "";
let key = "";
beforeAll(async () => {
  org = await createOrg("walks");
  other = await createOrg("walks-other");
  await append(100);
  await append(3, other);
  key = (await orgKey(org, ["events:read"])).key;
});

let appended = 0;
async function append(count: number, to = org): Promise<number> {
  const events = Array.from({ length: count }, () => event(appended++));
  const answer = await call("POST", `/v1/orgs/${to}/events`, { body: { events } });
  expect(answer.status, answer.text).toBe(201);
  return answer.json.size;
}

const indexes = (entries: any[]) => entries.map(({ index }) => index);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

describe("a walk", () => {
  it("goes from the newest entry down to the first, each once, while entries arrive", async () => {
    const size = await append(1);
    const { entries, pages } = await walk(org, { limit: 7, min_size: size }, { between: () => append(2) });
    const found = indexes(entries);
    expect(pages).toBeGreaterThan(10);
    expect(found).toEqual(range(0, found[0] + 1).toReversed());
    expect(found[0]).toBeGreaterThanOrEqual(size - 1);
  });

  it("goes up from the first entry, and meets those that arrive on its way", async () => {
    let size = await append(1);
    let left = 3;
    const between = async () => {
      if (left-- <= 0) return;
      size = await append(5);
      // What is waited for under this page is there for the next one, which has no `min_size` of its own.
      expect((await list(org, { min_size: size, limit: 1 })).json.visible_size).toBeGreaterThanOrEqual(size);
    };
    const { entries } = await walk(org, { limit: 29, order: "asc", min_size: size }, { between });
    const found = indexes(entries);
    expect(found).toEqual(range(0, found.length));
    expect(found.length).toBeGreaterThanOrEqual(size);
  });

  it("lets a follower go on from the last index it saw, meeting each entry once", async () => {
    let last = (await append(1)) - 1;
    const seen: number[] = [];
    const from = last;
    for (let poll = 0; poll < 5; poll++) {
      const size = await append(3);
      const page = await list(org, { order: "asc", after_index: last, min_size: size, source: "client" }, key);
      seen.push(...indexes(page.json.data));
      last = seen.at(-1) as number;
    }
    expect(seen).toHaveLength(15);
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
    expect(seen[0]).toBeGreaterThan(from);
  });

  it("holds the same cursor under another limit", async () => {
    const first = await list(org, { limit: 2, before_index: 50 });
    const rest = await list(org, { limit: 5, before_index: 50, cursor: first.json.next_cursor });
    expect(indexes([...first.json.data, ...rest.json.data])).toEqual([49, 48, 47, 46, 45, 44, 43]);
  });
});

describe("limits and bounds of a page", () => {
  it("answers 100 by default, `limit` at most, newest first", async () => {
    const page = await list(org, {});
    expect(page.json.data).toHaveLength(100);
    expect((await list(org, { limit: 3 })).json.data).toHaveLength(3);
    const all = await list(org, { limit: 1_000 });
    expect(all.json.next_cursor).toBeNull();
    expect(all.json.visible_size).toBe(all.json.data.length);
  });

  it("keeps strictly between after_index and before_index, in both orders", async () => {
    const bounds = { after_index: 10, before_index: 15 };
    expect(indexes((await list(org, bounds)).json.data)).toEqual([14, 13, 12, 11]);
    expect(indexes((await list(org, { ...bounds, order: "asc" })).json.data)).toEqual([11, 12, 13, 14]);
    expect((await list(org, { after_index: 15, before_index: 11 })).json.data).toEqual([]);
    expect((await list(org, { after_index: 1_000_000 })).json).toMatchObject({ data: [], next_cursor: null });
    expect(indexes((await list(org, { before_index: 1 })).json.data)).toEqual([0]);
  });

  it("waits with min_size until what was just appended can be listed", async () => {
    for (let round = 0; round < 5; round++) {
      const size = await append(1);
      const page = await list(org, { min_size: size, limit: 1, before_index: size });
      expect(page.json.visible_size).toBeGreaterThanOrEqual(size);
      expect(indexes(page.json.data)).toEqual([size - 1]);
    }
  });

  it("ends a page by bytes as well, and goes on with its cursor", async () => {
    const large = await createOrg("large");
    const events = Array.from({ length: 39 }, (_, n) => event(n, { metadata: "x".repeat(99_000) }));
    for (const _ of [1, 2]) await call("POST", `/v1/orgs/${large}/events`, { body: { events } });
    const page = await list(large, { limit: 1_000, min_size: 79 });
    expect(page.json.data.length).toBeLessThan(79);
    expect(page.text.length).toBeLessThan(4_200_000);
    const { entries } = await walk(large, { limit: 1_000, source: "client" });
    expect(entries).toHaveLength(78);
  });
});

describe("a cursor", () => {
  const cursorOf = async (params: Record<string, string | number>, from = org) =>
    (await list(from, { ...params, limit: 1 })).json.next_cursor as string;

  it("of another org, another question or another order is refused by name", async () => {
    const action = "document.share";
    const wrong = [
      await cursorOf({}, other),
      await cursorOf({ action }),
      await cursorOf({ order: "asc" }),
      (await cursorOf({})).slice(0, -3),
      "junk",
      "",
      "x".repeat(2_000),
      Buffer.from('{"v":2}').toString("base64url"),
    ];
    for (const cursor of wrong) {
      const refused = await list(org, { cursor });
      expect(Object.keys(memberErrors(refused, "invalid_request")), cursor).toEqual(["/cursor"]);
    }
  });

  it("tells a stranger nothing: it is of no use under another key's org", async () => {
    const foreign = (await orgKey(other, ["events:read"])).key;
    problemOf(await list(org, { cursor: await cursorOf({}) }, foreign), "not_found");
  });
});

describe("parameters", () => {
  it.each([
    ["q", "sort:asc", /at character 1: "sort" is not a field/],
    ["q", 'a "b', /at character 3: this quote is not closed/],
    ["q", "!!!", /no letter or digit/],
    ["q", "", /must not be empty/],
    ["sort", "occurred_at", /newest first/],
    ["offset", "10", /not a parameter/],
    ["-action", "a..b", /action/],
    ["-from", "2026-01-01T00:00:00Z", /cannot be excluded/],
    ["--action", "a.b", /not a parameter/],
    ["-limit", "1", /not a parameter/],
    ["-q", "word", /not a parameter/],
    ["-", "word", /not a parameter/],
    ["__proto__", "x", /not a parameter/],
    ["limit", "0", /1 to 1000/],
    ["limit", "1001", /1 to 1000/],
    ["limit", "ten", /1 to 1000/],
    ["limit", "1e2", /1 to 1000/],
    ["order", "newest", /asc or desc/],
    ["min_size", "-1", /whole number/],
    ["after_index", "1.5", /whole number/],
    ["before_index", "99999999999", /whole number/],
    ["from", "yesterday", /RFC 3339/],
    ["to", "2026-02-30T00:00:00Z", /RFC 3339/],
    ["category", "other", /log_access/],
    ["result", "ok", /success/],
    ["source", "us", /client/],
    ["action", "a..b", /action/],
    ["action", ".*", /user/],
    ["actor", "", /empty/],
    ["target_type", "t".repeat(101), /100/],
  ])("refuses %s=%s by name", async (name, value, says) => {
    const errors = memberErrors(await list(org, { [name]: value }, key), "invalid_request");
    expect(errors[`/${name}`]).toMatch(says);
  });

  it("refuses a parameter given twice that may be given once, and a filter given 21 times", async () => {
    expect(Object.keys(memberErrors(await list(org, { limit: ["1", "2"] }), "invalid_request"))).toEqual(["/limit"]);
    const many = Array.from({ length: 21 }, (_, n) => `u_${n}`);
    expect(memberErrors(await list(org, { actor: many }), "invalid_request")["/actor"]).toContain("20");
    expect((await list(org, { actor: many.slice(1) })).status).toBe(200);
  });

  it("names every bad one at once", async () => {
    const refused = await list(org, { limit: "x", q: "y:z", order: "z" });
    expect(Object.keys(memberErrors(refused, "invalid_request")).sort()).toEqual(["/limit", "/order", "/q"]);
  });

  it.each([
    ["from", "x"],
    ["to", "1.5"],
    ["expect", "short"],
    ["limit", "1"],
  ])("verify refuses %s=%s by name", async (name, value) => {
    const refused = await call("GET", `/v1/orgs/${org}/verify?${name}=${value}`);
    expect(problemOf(refused, "invalid_request").detail).toContain(name);
  });
});
