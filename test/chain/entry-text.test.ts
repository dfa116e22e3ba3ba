import { describe, expect, it } from "vitest";
import { entryText, withholdPersonal } from "../../src/chain/open.ts";
import { bare, dropped, FREE, full, opened, parsed } from "./full-entry.ts";
import { edited, HASH, LOG, sealEvent } from "./support.ts";

describe("an entry as answered", () => {
  it("has the event's members, then what sealing added, free values character for character", () => {
    const text = entryText(opened(parsed(full.line)));
    expect(text).toBe(
      `{"id":"inv-1","action":"document.share","category":"general","occurred_at":"2026-11-21T17:59:59.000Z","version":1,` +
        `"actor":{"type":"user","id":"u_1","name":"Jane","email":"jane@example.com","metadata":${FREE}},` +
        `"targets":[{"type":"document","id":"d_1","metadata":${FREE}}],"outcome":{"result":"success","error_message":"no"},` +
        `"context":{"ip":"192.0.2.1","user_agent":"x"},"changes":{"before":${FREE},"after":null,"fields":["a"]},"reason":"why","metadata":${FREE},` +
        `"index":7,"log":"${LOG}","source":"client","sequenced_at":"2026-11-21T18:00:07.000Z","received_at":"2026-11-21T17:59:59.000Z","delivery":"direct",` +
        `"entry_hash":"${full.prev}","prev":"${HASH}","keep_until":"2027-11-21","key":"key_1","batch":"bat_1","position":0,"absent":[],` +
        `"summary":"User “Jane” (u_1) did document.share on document d_1."}`,
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
