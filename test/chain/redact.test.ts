import { describe, expect, it } from "vitest";
import { parseRecord } from "../../src/chain/open.ts";
import { redactLine } from "../../src/chain/redact.ts";
import { checkSections } from "../../src/chain/verify-sections.ts";
import { readRow } from "../../src/chain/verify-row.ts";
import { full, parsed } from "./full-entry.ts";
import { LOG, sha256 } from "./support.ts";

const BY = { cause: "erased", by: 57 } as const;

describe("a line without sections that went", () => {
  it("keeps its leaf, loses text and salt, and names the cause of each, sorted", () => {
    const before = parsed(full.line);
    const line = redactLine(full.line, ["note", "actor/detail"], BY);
    const after = parsed(line);
    expect(after.leaf).toBe(before.leaf);
    expect(after.absent).toEqual([
      { section: "actor/detail", ...BY },
      { section: "note", ...BY },
    ]);
    const { note, "actor/detail": detail, ...kept } = before.sections;
    expect({ ...after.sections }).toEqual(kept);
    for (const gone of [note, detail]) {
      expect(line).not.toContain(gone?.salt);
      expect(line).not.toContain(JSON.stringify(gone?.text).slice(1, -1));
    }
  });

  it("is a record of the same entry, with nothing wrong but what is said to be absent", () => {
    const { index } = JSON.parse(full.leaf) as { index: number };
    const row = readRow(sha256, LOG, { index, line: redactLine(full.line, ["note"], BY) });
    if (row.claim !== "own") throw new Error("the same entry");
    const checked = checkSections(sha256, row.leaf, row.record);
    expect(checked).toMatchObject({ breaks: [], absences: [{ section: "note", ...BY }] });
  });

  it("is the same line when it is done again, or when nothing of it goes", () => {
    const once = redactLine(full.line, ["note"], BY);
    expect(redactLine(once, ["note"], BY)).toBe(once);
    expect(redactLine(once, ["note"], { cause: "expired", by: 99 })).toBe(once);
    expect(redactLine(full.line, ["target/49"], BY)).toBe(full.line);
    expect(redactLine(full.line, [], BY)).toBe(full.line);
  });

  it("is the same line whichever of two causes came first", () => {
    const other = { cause: "expired", by: 60, log: 2 } as const;
    const one = redactLine(redactLine(full.line, ["note"], BY), ["context"], other);
    const two = redactLine(redactLine(full.line, ["context"], other), ["note"], BY);
    expect(one).toBe(two);
    expect(parsed(one).absent).toEqual([
      { section: "context", ...other },
      { section: "note", ...BY },
    ]);
  });

  it("may have no section left", () => {
    const names = Object.keys(parsed(full.line).sections);
    const line = redactLine(full.line, names, BY);
    expect(parsed(line)).toMatchObject({ sections: {}, absent: names.map((section) => ({ section, ...BY })) });
  });
});

describe("the log of a cause", () => {
  const record = (absence: object) => JSON.stringify({ leaf: "{}", sections: {}, absent: [absence] });

  it("is the number of a log that continues another", () => {
    const absence = { section: "note", cause: "erased", by: 0, log: 2 };
    expect(parseRecord(record(absence))?.absent).toEqual([absence]);
  });

  it.each([
    { section: "note", cause: "erased", by: 3, log: 1 },
    { section: "note", cause: "erased", by: 3, log: 0 },
    { section: "note", cause: "erased", by: 3, log: 2.5 },
    { section: "note", cause: "erased", by: 3, log: "2" },
    { section: "note", cause: "erased", by: 3, log: null },
    { section: "note", cause: "erased", log: 2 },
    { section: "note", cause: "withheld", log: 2 },
  ])("%j is none", (absence) => {
    expect(parseRecord(record(absence))).toBeNull();
  });
});
