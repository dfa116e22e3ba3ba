import { describe, expect, it } from "vitest";
import { openEntry } from "../../src/chain/open.ts";
import { dropped, FREE, full, opened, parsed } from "./full-entry.ts";
import { edited, eventText, sha256 } from "./support.ts";

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
