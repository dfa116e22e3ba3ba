import { afterEach, describe, expect, it } from "vitest";
import { HISTORY_STATE_MAX_ENTRIES } from "../../src/limits.ts";
import { historySchema } from "../../src/schema/history.ts";
import { conforms, memberErrors, orgKey, problemOf } from "../http/support.ts";
import { untilProjected } from "../support/check-ledger.ts";
import { type Answer, call, createOrg, event } from "../support/client.ts";
import { shrinkCells, unshrinkCells } from "../support/shrink-cells.ts";
import { strand } from "../support/strand.ts";
import { actsOf, list, saysOf } from "./support.ts";

afterEach(unshrinkCells);

type Thing = { type: string; id: string };
const DOC: Thing = { type: "doc", id: "d_1" };

/** Appends events of one thing, each with its changes as source text. */
async function put(org: string, changes: (string | null)[], thing: Thing = DOC, more = ""): Promise<void> {
  const events = changes.map((text) => {
    const said = text === null ? "" : `,"changes":${text}`;
    return `{"action":"doc.edit","actor":{"type":"user","id":"u"},"targets":[${JSON.stringify(thing)}]${said}${more}}`;
  });
  const answer = await call("POST", `/v1/orgs/${org}/events`, { body: `{"events":[${events.join(",")}]}` });
  expect(answer.status, answer.text).toBe(201);
  await untilProjected(org);
}

function ask(org: string, { type, id }: Thing = DOC, query = "", key?: string): Promise<Answer> {
  const path = `/v1/orgs/${org}/targets/${encodeURIComponent(type)}/${encodeURIComponent(id)}/history${query}`;
  return call("GET", path, key === undefined ? {} : { key });
}

async function historyOf(org: string, thing = DOC, query = "", key?: string) {
  const answer = await ask(org, thing, query, key);
  expect(answer.status, answer.text).toBe(200);
  conforms(historySchema, answer.json);
  return { ...(answer.json as { data: any[]; next_cursor: string | null; state: any }), text: answer.text };
}

const CREATE = '{"before":null,"after":{"n":9007199254740993,"p":1.10}}';
const UPDATE = '{"before":{"p":1.10},"after":{"p":1.20,"q":{"x":1, "x":2}}}';

describe("the history of a thing", () => {
  it("has its entries in any role, newest first, and what they say it is, character for character", async () => {
    const org = await createOrg("history");
    await put(org, [CREATE, UPDATE]);
    const other = {
      ...event(1),
      targets: [
        { type: "folder", id: "f" },
        { ...DOC, role: "moved" },
      ],
    };
    expect((await call("POST", `/v1/orgs/${org}/events`, { body: other })).status).toBe(201);
    await put(org, [CREATE], { type: "doc", id: "d_2" });
    await put(org, [CREATE], { type: "page", id: "d_1" });
    const { data, state, text } = await historyOf(org);
    expect(data.map(({ action }) => action)).toEqual(["document.share", "doc.edit", "doc.edit"]);
    expect(state).toMatchObject({ complete: true, exists: true, because: [] });
    expect(text).toContain('"members":{"n":9007199254740993,"p":1.20,"q":{"x":1, "x":2}}');
    const folder = await historyOf(org, { type: "folder", id: "f" });
    expect(folder.data).toHaveLength(1);
    expect(folder.state).toMatchObject({
      complete: false,
      members: null,
      because: [{ reason: "no_changes" }, { reason: "no_beginning" }],
    });
  });

  it("is paged like a list; times and pages change the entries, never the state", async () => {
    const org = await createOrg("history-pages");
    await put(org, [CREATE], DOC, ',"occurred_at":"2020-05-05T00:00:00Z"');
    await put(
      org,
      Array.from(
        { length: 4 },
        (_, n) => `{"before":{"n":${n === 0 ? "9007199254740993" : n}},"after":{"n":${n + 1}}}`,
      ),
    );
    const first = await historyOf(org, DOC, "?limit=2");
    const state = { complete: true, exists: true, members: { n: 4, p: 1.1 }, because: [] };
    expect(first.state).toEqual(state);
    const second = await historyOf(org, DOC, `?limit=2&cursor=${first.next_cursor}`);
    expect(second.state).toBeNull();
    const third = await historyOf(org, DOC, `?limit=2&cursor=${second.next_cursor}`);
    const indexes = [first, second, third].flatMap(({ data }) => data.map(({ index }) => index));
    expect(indexes).toEqual(indexes.toSorted((a, b) => b - a));
    expect(new Set(indexes).size).toBe(5);
    const old = await historyOf(org, DOC, "?to=2020-12-31T00:00:00Z&order=asc");
    expect(old.data).toHaveLength(1);
    expect(old.state).toEqual(state);
    for (const [thing, query] of [
      [{ type: "doc", id: "d_2" }, "?limit=2"],
      [DOC, "?limit=2&order=asc"],
      [DOC, "?from=2020-01-01T00:00:00Z"],
    ] as const) {
      problemOf(await ask(org, thing, `${query}&cursor=${first.next_cursor}`), "invalid_request");
    }
    const { json } = await list(org, { limit: 1 });
    problemOf(await ask(org, DOC, `?cursor=${json.next_cursor}`), "invalid_request");
  });

  it.each([
    "a/b",
    "%2F",
    "100%",
    "?x=1#y",
    "a+b c",
    "Grüße \u{1f600}",
    "'; drop table entry_00; --",
    "\0\n",
    "..%",
    "e\u0301",
  ])("finds a thing whose type or id is %j, and no other", async (name) => {
    const org = await createOrg("history-names");
    const thing = { type: name.replaceAll(/[\0\n]/g, "t"), id: name };
    await put(org, [CREATE], thing);
    await put(org, [CREATE], { ...thing, id: `${name}x` });
    const { data, state } = await historyOf(org, thing);
    expect(data.map(({ targets }) => targets)).toEqual([[thing]]);
    expect(state.complete).toBe(true);
  });

  it("does not cross orgs of identical ids, in one cell and in two", async () => {
    const [org, other] = [await createOrg("history-left"), await createOrg("history-right")];
    await put(org, [CREATE, UPDATE]);
    await put(other, ['{"before":null,"after":{"theirs":1}}']);
    await shrinkCells(other);
    await put(other, ['{"before":{"theirs":1},"after":{"theirs":2}}']);
    unshrinkCells();
    await put(other, ['{"before":{"theirs":2},"after":{"theirs":3}}']);
    const [mine, theirs] = [await historyOf(org), await historyOf(other)];
    expect(mine.data).toHaveLength(2);
    expect(mine.text).not.toContain("theirs");
    expect(theirs.data).toHaveLength(3);
    expect(theirs.state).toMatchObject({ complete: true, members: { theirs: 3 } });
    const { key } = await orgKey(org, ["events:read"]);
    problemOf(await ask(other, DOC, "", key), "not_found");
    const page = await historyOf(org, DOC, "?limit=1");
    problemOf(await ask(other, DOC, `?limit=1&cursor=${page.next_cursor}`), "invalid_request");
  });

  it("withholds what its reader may not see and needs no scope for personal data", async () => {
    const org = await createOrg("history-personal");
    await put(org, [CREATE], DOC, ',"context":{"ip":"203.0.113.9"}');
    const { key } = await orgKey(org, ["events:read"]);
    const { data, state, text } = await historyOf(org, DOC, "", key);
    expect(text).not.toContain("203.0.113.9");
    expect(data[0].absent).toContainEqual({ section: "context", cause: "withheld" });
    expect(state.complete).toBe(true);
    const blind = await orgKey(org, ["events:append", "personal:read"]);
    problemOf(await ask(org, DOC, "", blind.key), "forbidden");
  });

  it("is not proven through a log that was continued", async () => {
    const org = await createOrg("history-continued");
    await put(org, [CREATE]);
    await strand(org);
    expect((await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "gone" } })).status).toBe(201);
    await put(org, ['{"before":{"p":1.10},"after":{"p":1.20}}']);
    const { data, state, text } = await historyOf(org);
    expect(data).toHaveLength(2);
    expect(state.because).toEqual([{ reason: "continued", count: 1, first: null }]);
    expect(text).toContain('"p":1.20');
  });

  it("rebuilds no more entries than it is bound to, and lists them all the same", async () => {
    const org = await createOrg("history-long");
    const change = (n: number) => `{"before":{"n":${n}},"after":{"n":${n + 1}}}`;
    await put(org, [
      '{"before":null,"after":{"n":0}}',
      ...Array.from({ length: HISTORY_STATE_MAX_ENTRIES - 1 }, (_, n) => change(n)),
    ]);
    expect((await historyOf(org)).state).toMatchObject({
      complete: true,
      members: { n: HISTORY_STATE_MAX_ENTRIES - 1 },
    });
    await put(org, [change(HISTORY_STATE_MAX_ENTRIES - 1)]);
    const { data, state } = await historyOf(org, DOC, "?limit=3");
    expect(data).toHaveLength(3);
    expect(state).toEqual({
      complete: false,
      exists: null,
      members: null,
      because: [{ reason: "too_long", count: 1, first: null }],
    });
  });

  it("leaves a trace that names the thing and counts what its answer rests on", async () => {
    const org = await createOrg("history-trace");
    await put(org, [CREATE, UPDATE], { type: "a b", id: "x&y=1" });
    await historyOf(org, { type: "a b", id: "x&y=1" }, "?limit=1&from=2020-01-01T00:00:00Z");
    const [trace] = await actsOf(org, "indelible.read");
    expect(trace?.note).toEqual({ query: "target_type=a+b&target=x%26y%3D1&from=2020-01-01T00%3A00%3A00Z" });
    // One is on the page, and the state is made of both.
    expect(saysOf(trace)).toEqual({ route: "targets.history", results_count: 2, range: { from: 1, to: 2 } });
  });

  it.each([
    ["?actor=u", "/actor"],
    ["?about=x", "/about"],
    ["?after_index=1", "/after_index"],
    ["?limit=0", "/limit"],
    ["?from=yesterday", "/from"],
    ["?order=up", "/order"],
    ["?sort=x", "/sort"],
  ])("refuses %s by name, and only to who may ask", async (query, pointer) => {
    const org = await createOrg("history-bad");
    expect(Object.keys(memberErrors(await ask(org, DOC, query), "invalid_request"))).toContain(pointer);
    const { key } = await orgKey(await createOrg("history-else"), ["events:read"]);
    problemOf(await ask(org, DOC, query, key), "not_found");
  });

  it("refuses a type and an id that no target can have", async () => {
    const org = await createOrg("history-names");
    const refused = await ask(org, { type: "a\0b", id: "x".repeat(201) });
    expect(Object.keys(memberErrors(refused, "invalid_request"))).toEqual(["/type", "/id"]);
  });
});
