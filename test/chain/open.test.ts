import { describe, expect, it } from "vitest";
import { entryText, openEntry, type OpenedEntry, parseRecord, withholdPersonal } from "../../src/chain/open.ts";
import type { EntryRecord } from "../../src/chain/record.ts";
import { edited, eventText, HASH, LOG, sealEvent, sha256 } from "./support.ts";

const FREE =
  '{"n":9007199254740993,"x":1.10,"z":-0,"big":1e400,"a":1,"a":2,"10":0,"2":0,"__proto__":{},"s":"\\u0041\\ud800\\u0000"}';
const sections = [
  { name: "note", text: '{"id":"inv-1","reason":"why","error_message":"no"}' },
  { name: "actor", text: '{"id":"u_1"}' },
  { name: "actor/detail", text: `{"name":"Jane","email":"jane@example.com","metadata": ${FREE} }` },
  { name: "target/0", text: '{"id":"d_1"}' },
  { name: "target/0/detail", text: `{"metadata":${FREE}}` },
  { name: "context", text: '{"ip":"192.0.2.1","user_agent":"x"}' },
  { name: "changes", text: `{"before":${FREE},"after":null,"fields":["a"]}` },
  { name: "metadata", text: FREE },
];
const full = sealEvent({ sections }, { index: 7, prev: HASH });
const bare = sealEvent(
  {
    sections: [
      { name: "actor", text: '{"id":"u_1"}' },
      { name: "target/0", text: '{"id":"d_1"}' },
    ],
  },
  { index: 7, prev: HASH },
);

function parsed(line: string): EntryRecord {
  const record = parseRecord(line);
  if (record === null) throw new Error("not a record");
  return record;
}

function opened(record: EntryRecord): OpenedEntry {
  const result = openEntry(sha256, record);
  if (!result.ok) throw new Error(result.why);
  return result.entry;
}

function dropped(line: string, ...names: string[]): EntryRecord {
  return parsed(
    edited({ index: 7, line }, (record) => {
      for (const name of names) delete record.sections[name];
    }).line,
  );
}

describe("reading a record", () => {
  it("takes what was sealed", () => {
    expect(parsed(full.line)).toMatchObject({ leaf: full.leaf });
    const absent = [{ section: "note", cause: "erased", by: 9 }];
    const line = edited({ index: 7, line: full.line }, (record) => Object.assign(record, { absent })).line;
    expect(parsed(line).absent).toEqual(absent);
  });

  const leaf = '"leaf":"{}"';
  const salt = "AAAAAAAAAAAAAAAAAAAAAA";
  it.each([
    "",
    "null",
    "[]",
    "7",
    "{}",
    `{${leaf}}`,
    `{${leaf},"sections":[]}`,
    `{${leaf},"sections":null}`,
    `{"leaf":7,"sections":{}}`,
    `{"leaf":"\\ud800","sections":{}}`,
    `{${leaf},"sections":{},"x":1}`,
    `{${leaf},"sections":{},"__proto__":{}}`,
    `{${leaf},"sections":{"event":{}}}`,
    `{${leaf},"sections":{"event":"x"}}`,
    `{${leaf},"sections":{"other":{"salt":"${salt}","text":"{}"}}}`,
    `{${leaf},"sections":{"__proto__":{"salt":"${salt}","text":"{}"}}}`,
    `{${leaf},"sections":{"event":{"salt":"${salt}"}}}`,
    `{${leaf},"sections":{"event":{"salt":"${salt}","text":7}}}`,
    `{${leaf},"sections":{"event":{"salt":"${salt}","text":"{}","x":1}}}`,
    `{${leaf},"sections":{"event":{"salt":"${salt}A","text":"{}"}}}`,
    `{${leaf},"sections":{"event":{"salt":"${salt.slice(1)}B","text":"{}"}}}`,
    `{${leaf},"sections":{"event":{"salt":"${salt}","text":"\\ud800"}}}`,
    `{${leaf},"sections":{},"absent":null}`,
    `{${leaf},"sections":{},"absent":[]}`,
    `{${leaf},"sections":{},"absent":[7]}`,
    `{${leaf},"sections":{},"absent":[{"section":"note"}]}`,
    `{${leaf},"sections":{},"absent":[{"section":"other","cause":"erased","by":1}]}`,
    `{${leaf},"sections":{},"absent":[{"section":"note","cause":"lost"}]}`,
    `{${leaf},"sections":{},"absent":[{"section":"note","cause":"erased"}]}`,
    `{${leaf},"sections":{},"absent":[{"section":"note","cause":"erased","by":-1}]}`,
    `{${leaf},"sections":{},"absent":[{"section":"note","cause":"erased","by":1.5}]}`,
    `{${leaf},"sections":{},"absent":[{"section":"note","cause":"withheld","by":1}]}`,
    `{${leaf},"sections":{},"absent":[{"section":"note","cause":"erased","by":1,"x":1}]}`,
    `{${leaf},"sections":{},"absent":[{"section":"note","cause":"erased","by":1},{"section":"note","cause":"withheld"}]}`,
  ])("refuses %s", (line) => {
    expect(parseRecord(line)).toBeNull();
  });
});

describe("opening an entry", () => {
  it("gives every section, free values as source text", () => {
    const entry = opened(parsed(full.line));
    expect(entry).toMatchObject({
      hash: full.prev,
      id: "inv-1",
      note: { id: "inv-1", reason: "why", error_message: "no" },
      actor: { type: "user", id: "u_1", name: "Jane", email: "jane@example.com", metadata: FREE },
      on_behalf_of: null,
      targets: [{ type: "document", id: "d_1", metadata: FREE }],
      context: { ip: "192.0.2.1", user_agent: "x" },
      changes: { before: FREE, after: "null", fields: ["a"] },
      metadata: FREE,
      absent: [],
      unexplained: [],
    });
    expect(entry.event).toMatchObject({ action: "document.share", delivery: "direct" });
  });

  it("tolerates absent sections, and says which are not explained", () => {
    const entry = opened(dropped(full.line, "actor", "actor/detail", "note", "metadata"));
    expect(entry).toMatchObject({ id: null, note: null, actor: { type: "user", id: null }, metadata: null });
    expect(entry.unexplained).toEqual(["actor", "actor/detail", "metadata", "note"]);
    expect(opened(dropped(full.line, "event"))).toMatchObject({ event: null, actor: null, targets: [], id: "inv-1" });
  });

  it.each([
    ["event", "[]"],
    ["event", "{"],
    ["event", eventText({}).replace('"position":0', '"position":-1')],
    ["event", eventText({}).replace('"type":"user"', '"type":null')],
    ["event", eventText({}).replace('"action"', '"Action"')],
    ["event", eventText({}).replace('"targets":[', '"targets":[7,')],
    ["event", eventText({}).replace("{", '{"action":"x",')],
    ["note", '{"id":7}'],
    ["note", '{"id":"a","id":"b"}'],
    ["actor", "{}"],
    ["actor", '"u_1"'],
    ["actor/detail", '{"email":{}}'],
    ["actor/detail", '{"metadata":1,"metadata":2}'],
    ["context", '{"ip":null}'],
    ["context", '{"__proto__":"x"}'],
    ["changes", '{"fields":[1]}'],
    ["changes", "7"],
    ["metadata", ""],
    ["metadata", "{]"],
  ])("refuses a section %s that reads %s", (name, text) => {
    const line = edited({ index: 7, line: full.line }, (record) => (record.sections[name]!.text = text)).line;
    expect(openEntry(sha256, parsed(line))).toEqual({ ok: false, why: `not of their shape: ${name}` });
  });

  it("refuses a leaf that is malformed or of another version", () => {
    expect(openEntry(sha256, { leaf: "{}", sections: {} })).toMatchObject({ ok: false });
    expect(openEntry(sha256, { leaf: '{"v":2}', sections: {} })).toEqual({
      ok: false,
      why: "its leaf is of version 2",
    });
  });
});

describe("an entry as answered", () => {
  it("has the event's members, then what sealing added, free values character for character", () => {
    const text = entryText(opened(parsed(full.line)));
    expect(text).toBe(
      `{"id":"inv-1","action":"document.share","category":"general","occurred_at":"2026-11-21T17:59:59.000Z","version":1,` +
        `"actor":{"type":"user","id":"u_1","name":"Jane","email":"jane@example.com","metadata":${FREE}},` +
        `"targets":[{"type":"document","id":"d_1","metadata":${FREE}}],"outcome":{"result":"success","error_message":"no"},` +
        `"context":{"ip":"192.0.2.1","user_agent":"x"},"changes":{"before":${FREE},"after":null,"fields":["a"]},"reason":"why","metadata":${FREE},` +
        `"index":7,"log":"${LOG}","source":"client","sequenced_at":"2026-11-21T18:00:07.000Z","received_at":"2026-11-21T17:59:59.000Z","delivery":"direct",` +
        `"entry_hash":"${full.prev}","prev":"${HASH}","keep_until":"2027-11-21","key":"key_1","batch":"bat_1","position":0,"absent":[]}`,
    );
  });

  it("adds defaults and leaves out what was not sent", () => {
    const answer = JSON.parse(entryText(opened(parsed(bare.line)))) as Record<string, unknown>;
    expect(answer).toMatchObject({ id: null, version: 1, category: "general", outcome: { result: "success" } });
    for (const name of ["context", "changes", "reason", "metadata", "on_behalf_of", "category_sent"])
      expect(answer).not.toHaveProperty(name);
  });

  it("keeps an outcome, a version, a time and a role that were sent", () => {
    const event = {
      action: "a.b",
      version: 3,
      category: "login",
      category_sent: "general",
      occurred_at: "2026-11-21T19:59:58.1+02:00",
      outcome: { result: "denied", error_code: "E1" },
      actor: { type: "service" },
      on_behalf_of: { type: "user" },
      targets: [{ type: "document", role: "subject" }],
      received_at: "2026-11-21T18:00:00.000Z",
      id: "evt_1",
    };
    const entry = sealEvent(
      { category: "login", sections: [{ name: "on_behalf_of", text: '{"id":"u_2"}' }] },
      { index: 7, prev: HASH },
    );
    const line = edited(
      { index: 7, line: entry.line },
      (record) => (record.sections["event"]!.text = JSON.stringify(event)),
    ).line;
    expect(JSON.parse(entryText(opened(parsed(line))))).toMatchObject({
      id: "evt_1",
      version: 3,
      category: "login",
      category_sent: "general",
      occurred_at: "2026-11-21T19:59:58.1+02:00",
      outcome: { result: "denied", error_code: "E1" },
      on_behalf_of: { type: "user", id: "u_2" },
      targets: [{ type: "document", id: null, role: "subject" }],
    });
  });

  it("lists absent sections with their cause, and says when there is none", () => {
    const record = dropped(full.line, "note", "metadata");
    const answer = JSON.parse(
      entryText(opened({ ...record, absent: [{ section: "note", cause: "erased", by: 9 }] })),
    ) as object;
    expect(answer).toMatchObject({
      absent: [
        { section: "note", cause: "erased", by: 9 },
        { section: "metadata", cause: "unexplained" },
      ],
    });
  });
});

describe("withholding", () => {
  it("drops details and context, and says so", () => {
    const record = withholdPersonal(parsed(full.line));
    expect(Object.keys(record.sections)).toEqual(["actor", "changes", "event", "metadata", "note", "target/0"]);
    expect(record.absent).toEqual([
      { section: "actor/detail", cause: "withheld" },
      { section: "context", cause: "withheld" },
      { section: "target/0/detail", cause: "withheld" },
    ]);
    const text = entryText(opened(record));
    expect(text).not.toContain("jane@example.com");
    expect(text).not.toContain("192.0.2.1");
    expect(text).not.toContain("unexplained");
  });

  it("leaves the stored record as it was, keeps earlier causes, and changes nothing where nothing is personal", () => {
    const record = dropped(full.line, "note");
    record.absent = [{ section: "note", cause: "erased", by: 9 }];
    expect(withholdPersonal(record).absent?.[0]).toEqual({ section: "note", cause: "erased", by: 9 });
    expect(record.absent).toHaveLength(1);
    expect(Object.keys(record.sections)).toContain("context");
    const plain = parsed(bare.line);
    expect(withholdPersonal(plain)).toBe(plain);
  });
});
