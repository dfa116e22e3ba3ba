import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { absenceListHash, absenceListText, isListed, parseAbsenceList } from "../../src/chain/absence-list.ts";
import { ABSENCE_LIST_MAX_ENTRIES } from "../../src/limits.ts";
import { sha256 } from "./support.ts";

const LIST = new Map([
  [41, ["note", "actor/detail", "actor"]],
  [7, ["target/10", "target/2"]],
]);
const TEXT = "7 target/10\n7 target/2\n41 actor\n41 actor/detail\n41 note\n";

describe("the list of a cause", () => {
  it("is a line for each section, by index and then by UTF-16 code units, under the hash of its bytes", () => {
    expect(absenceListText(LIST)).toBe(TEXT);
    expect(absenceListHash(sha256, TEXT)).toBe("d80431037f6a383c6520d0d5417c95b3ed4a38aa1722b36a048845d10b711c53");
  });

  it("is read as it was made, and says what it names", () => {
    const list = parseAbsenceList(TEXT);
    expect(list).toEqual(
      new Map([
        [7, ["target/10", "target/2"]],
        [41, ["actor", "actor/detail", "note"]],
      ]),
    );
    if (list === null) throw new Error("a list");
    expect(isListed(list, { index: 41, section: "note" })).toBe(true);
    expect(isListed(list, { index: 41, section: "context" })).toBe(false);
    expect(isListed(list, { index: 8, section: "note" })).toBe(false);
  });

  it("names a section once, however often it was given", () => {
    expect(absenceListText(new Map([[3, ["note", "note"]]]))).toBe("3 note\n");
  });

  it.each([
    ["nothing", ""],
    ["an empty line", "\n"],
    ["no line end", "7 note"],
    ["a line end too many", "7 note\n\n"],
    ["a carriage return", "7 note\r\n"],
    ["a byte order mark", "\ufeff7 note\n"],
    ["two spaces", "7  note\n"],
    ["a space before", " 7 note\n"],
    ["a space behind", "7 note \n"],
    ["a tab", "7\tnote\n"],
    ["no index", "note\n"],
    ["a leading zero", "07 note\n"],
    ["a sign", "+7 note\n"],
    ["a fraction", "7.0 note\n"],
    ["an index no log has", "4294967296 note\n"],
    ["no section", "7 \n"],
    ["a section there is not", "7 notes\n"],
    ["a target there is not", "7 target/50\n"],
    ["a section twice", "7 note\n7 note\n"],
    ["sections out of order", "7 target/2\n7 target/10\n"],
    ["indexes out of order", "41 note\n7 note\n"],
    ["indexes in the order of their digits", "10 note\n9 note\n"],
    ["an index in two places", "7 note\n8 note\n7 target/0\n"],
  ])("with %s is none", (_what, text) => {
    expect(parseAbsenceList(text)).toBeNull();
  });

  it("of more entries than one cause takes is none", () => {
    const lines = (count: number) => Array.from({ length: count }, (_, index) => `${index} note\n`).join("");
    expect(parseAbsenceList(lines(ABSENCE_LIST_MAX_ENTRIES))?.size).toBe(ABSENCE_LIST_MAX_ENTRIES);
    expect(parseAbsenceList(lines(ABSENCE_LIST_MAX_ENTRIES + 1))).toBeNull();
  });

  it("has one text for what it names, and no other text is read as that", () => {
    const section = fc.constantFrom("note", "actor", "context", "target/2", "target/10/detail");
    const entries = fc.array(fc.tuple(fc.nat(60), fc.array(section, { minLength: 1 })), { minLength: 1 });
    fc.assert(
      fc.property(entries, fc.nat(), fc.string({ maxLength: 2 }), (given, at, insert) => {
        const text = absenceListText(new Map(given));
        const list = parseAbsenceList(text);
        expect(list === null ? "" : absenceListText(list)).toBe(text);
        const place = at % (text.length + 1);
        const other = text.slice(0, place) + insert + text.slice(place + 1);
        const read = parseAbsenceList(other);
        if (read !== null) expect(absenceListText(read)).toBe(other);
      }),
    );
  });
});
