import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { entryText, withholdAll, withholdPersonal } from "../../src/chain/open.ts";
import type { EntryRecord } from "../../src/chain/record.ts";
import { opened, parsed } from "./full-entry.ts";

type Case = { note: string; line: string; whole: string; without_personal: string; sealed_off: string };
const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, "../vectors/answer.json"), "utf8")) as {
  cases: Case[];
};

/**
 * What was answered once is answered for ever: members may only be added, and then these files are made anew by hand. Only
 * the sentence in `summary` may get better.
 */
describe("answer.json", () => {
  it.each(cases)("$note", ({ line, whole, without_personal, sealed_off }) => {
    const answer = (record: EntryRecord) => entryText(opened(record));
    expect(answer(parsed(line))).toBe(whole);
    expect(answer(withholdPersonal(parsed(line)))).toBe(without_personal);
    expect(answer(withholdAll(parsed(line)))).toBe(sealed_off);
  });
});
