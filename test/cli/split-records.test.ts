import { describe, expect, it } from "vitest";
import * as fc from "fast-check";
import type { SourceRecord } from "../../src/cli/import/source-record.ts";
import { RecordSplitter } from "../../src/cli/import/split-records.ts";

function split(input: string | Uint8Array, { chunk = 1 << 16, path = ["Records"] as string[], max = 8_000_000 } = {}) {
  const bytes = Buffer.from(input as string);
  const splitter = new RecordSplitter({ listPath: path, recordMaxBytes: max });
  const found: SourceRecord[] = [];
  for (let at = 0; at < bytes.length; at += chunk) found.push(...splitter.push(bytes.subarray(at, at + chunk)));
  found.push(...splitter.end());
  return found;
}
const texts = (records: SourceRecord[]) => records.map((record) => Buffer.from(record.bytes).toString());
const good = (records: SourceRecord[]) => texts(records.filter((record) => record.fault === undefined));
const faults = (records: SourceRecord[]) => records.filter((record) => record.fault !== undefined);

describe("splitting a stream into records", () => {
  it("hands out the source of each line, character for character", () => {
    const lines = ['{"n":12345678901234567890,"d":1.10,"z":-0}', '{"a":1,"a":2}', '{"s":"\\u0041\\ud83d\\" } ] , {"}'];
    expect(texts(split(`${lines.join("\r\n")}\n\n`))).toEqual(lines);
  });

  it("says where each record begins", () => {
    const found = split('\n{"a":1}\n\n  {"b":2}\n');
    expect(found.map(({ number, line, offset }) => [number, line, offset])).toEqual([
      [1, 2, 1],
      [2, 4, 12],
    ]);
  });

  it("opens the list of a document on one line, with members before and behind it", () => {
    const records = ['{"a":{"Records":[1]}}', '{"b":"]"}', "{}"];
    const file = `{"x":{"Records":[0]},"y":"Records","Records":[${records.join(",")}],"z":["}",{"q":1}]}`;
    for (const chunk of [1, 2, 3, 7, 1000]) expect(texts(split(file, { chunk }))).toEqual(records);
  });

  it("opens documents one after the other, pretty or not", () => {
    const file = `{"Records":[{"a":1}]}\n${JSON.stringify({ Records: [{ a: 2 }, { a: 3 }] }, null, 2)}\n{"a":4}`;
    expect(texts(split(file)).map((text) => JSON.parse(text))).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }]);
  });

  it("follows a path of several names", () => {
    const file = '{"data":{"other":{"items":[0]},"items":[{"a":1},{"a":2}]},"items":[9]}';
    expect(texts(split(file, { path: ["data", "items"] }))).toEqual(['{"a":1}', '{"a":2}']);
  });

  it("opens a top-level list without being told", () => {
    expect(texts(split('[{"a":1},\n {"b":[1,2]} , 7, "x,]"]', { path: [] }))).toEqual([
      '{"a":1}',
      '{"b":[1,2]}',
      "7",
      '"x,]"',
    ]);
  });

  it("takes an object without the named list as a record, and a list elsewhere as a value", () => {
    const line = '{"Records":{"not":"a list"},"deep":{"Records":[{"no":1}]}}';
    expect(texts(split(line))).toEqual([line]);
  });

  it("loses only the line that is cut off", () => {
    for (const bad of ['{"a":"no end', '{"a":1,', '{"a":', '{"a":[1,2', '{"a":{"b":1}', '{"a":1]', "rubbish", '"']) {
      const found = split(`{"n":1}\n${bad}\n{"n":2}\n{"n":3}\n`, { chunk: 5 });
      expect(
        good(found).filter((text) => text.startsWith('{"n"')),
        bad,
      ).toEqual(['{"n":1}', '{"n":2}', '{"n":3}']);
      expect(found.length, bad).toBe(4);
      expect(
        found.map((record) => record.line),
        bad,
      ).toEqual([1, 2, 3, 4]);
      const second = 9 + Buffer.byteLength(bad);
      expect(
        found.map((record) => record.offset),
        bad,
      ).toEqual([0, 8, second, second + 8]);
      expect(found.map((record) => record.number)).toEqual([1, 2, 3, 4]);
    }
  });

  it("gives up a broken pretty-printed record as one", () => {
    const found = split('{"n":1}\n{\n  "a": {\n    "b": "cut\n  }\n}\n{"n":2}\n');
    expect(good(found)).toEqual(['{"n":1}', '{"n":2}']);
    expect(faults(found)).toHaveLength(1);
  });

  it("goes on with the next document when the list of one is broken", () => {
    const found = split('{"Records":[{"a":1},{"a":"cut\n{"Records":[{"a":2}]}\n', { chunk: 4 });
    expect(good(found)).toEqual(['{"a":1}', '{"a":2}']);
    expect(faults(found)[0]?.fault).toMatch(/line break inside a string/);
  });

  it("says what is left open at the end", () => {
    expect(faults(split('{"a":1}\n{"a":'))[0]).toMatchObject({ line: 2, fault: "the file ends inside this record" });
    expect(faults(split('{"Records":[{"a":1},'))[0]?.fault).toMatch(/inside the list/);
    expect(faults(split('{"Records":[{"a":1}]'))[0]?.fault).toMatch(/inside the list/);
    expect(split("")).toEqual([]);
    expect(split(" \r\n\t\n")).toEqual([]);
  });

  it("scans past a record that is too long, in bounded memory, and names it", () => {
    const found = split(`{"n":1}\n{"a":"${"x".repeat(5000)}"}\n{"n":2}\n`, { max: 1000, chunk: 300 });
    expect(good(found)).toEqual(['{"n":1}', '{"n":2}']);
    expect(faults(found)[0]).toMatchObject({ line: 2, fault: "the record is longer than 1000 bytes" });
    expect(faults(found)[0]?.bytes.length).toBeLessThanOrEqual(1000);
  });

  it("keeps its depth apart from its memory", () => {
    const deep = `{"a":${"[".repeat(150_000)}${"]".repeat(150_000)}}`;
    expect(texts(split(`${deep}\n{"n":2}`))[1]).toBe('{"n":2}');
  });

  it("finds the same records however the bytes are cut", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const record = fc.dictionary(fc.constantFrom("a", "Records", 'q"', "ü", "\\"), value, { maxKeys: 4 });
    const notList = record.filter((one) => !Array.isArray(one["Records"]));
    const spaced = fc.constantFrom(0, 2);
    fc.assert(
      fc.property(
        fc.array(notList),
        spaced,
        fc.constantFrom("lines", "list", "document"),
        fc.integer({ min: 1, max: 9 }),
        (records, space, form, chunk) => {
          const json = records.map((one) => JSON.stringify(one, null, space));
          const list = `[${json.join(" ,")}]`;
          const file =
            form === "lines" ? json.join("\n") : form === "list" ? list : `{"v":[{}],"Records": ${list} ,"w":{}}`;
          expect(texts(split(file, { chunk }))).toEqual(json);
        },
      ),
      { numRuns: 300 },
    );
  });
});
