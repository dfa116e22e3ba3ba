import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sourceMembers, withoutSpace } from "../../src/chain/source-members.ts";

const split = (text: string) => sourceMembers(text)?.map(({ nameText, text: value }) => [nameText, value]);

describe("sourceMembers", () => {
  it("keeps names and values as they were sent, in order, those of one name all of them", () => {
    const text =
      ' { "a" : 1.10 ,"\\u0061":9007199254740993,"b":{"x": 1e0, "x":2},\n"":[1, 2 ],"c":"}\\"{," , "__proto__":null}\t';
    expect(split(text)).toEqual([
      ['"a"', "1.10"],
      ['"\\u0061"', "9007199254740993"],
      ['"b"', '{"x": 1e0, "x":2}'],
      ['""', "[1, 2 ]"],
      ['"c"', '"}\\"{,"'],
      ['"__proto__"', "null"],
    ]);
    expect(sourceMembers(text)?.map(({ name }) => name)).toEqual(["a", "a", "b", "", "c", "__proto__"]);
  });

  it.each(["{}", " { \n } "])("finds none in %j", (text) => {
    expect(sourceMembers(text)).toEqual([]);
  });

  it.each(["null", "true", "-1.5e3", '"{}"', "[]", '[{"a":1}]', " []"])("takes %s for no object", (text) => {
    expect(sourceMembers(text)).toBeNull();
  });

  it("splits whatever JSON there is into the same members, however it is spaced", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const members = sourceMembers(JSON.stringify(value, null, indent)) ?? [];
        expect(members.map(({ name, text }) => [name, JSON.parse(text)])).toEqual(
          Object.entries(value).map(([name, member]) => [name, JSON.parse(JSON.stringify(member))]),
        );
      }),
    );
  });
});

describe("withoutSpace", () => {
  it("takes away what stands between tokens and nothing else", () => {
    expect(withoutSpace(' { "a b" : [ 1.0 ,\n"\\" x" ] }\r\n')).toBe('{"a b":[1.0,"\\" x"]}');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(withoutSpace(JSON.stringify(value, null, 2))).toBe(JSON.stringify(value));
      }),
    );
  });
});
