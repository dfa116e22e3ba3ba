import { describe, expect, it } from "vitest";
import { parseRecord } from "../../src/chain/open.ts";
import { full, parsed } from "./full-entry.ts";
import { edited } from "./support.ts";

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
