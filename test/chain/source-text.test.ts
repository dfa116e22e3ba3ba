import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CHANGES_SHAPE,
  DETAIL_SHAPE,
  EVENT_SHAPE,
  scanSource,
  type Shape,
  type SourceNode,
} from "../../src/chain/source-text.ts";

const LIMITS = { maxDepth: 64 };
const PLAIN: Shape = { kind: "plain" };
const BATCH: Shape = { kind: "object", members: new Map([["events", { kind: "array", items: EVENT_SHAPE }]]) };

function scanned(text: string, shape: Shape = EVENT_SHAPE, start = 0): SourceNode {
  const result = scanSource(text, shape, LIMITS, start);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.node;
}

function faults(text: string, shape: Shape = EVENT_SHAPE): string[] {
  JSON.parse(text);
  const result = scanSource(text, shape, LIMITS);
  return result.ok ? [] : result.faults.map(({ pointer }) => pointer);
}

function metadata(text: string, shape?: Shape): string | undefined {
  const span = scanned(text, shape).members?.get("metadata");
  return span && text.slice(span.start, span.end);
}

const nested = (depth: number, open = "[", close = "]") => open.repeat(depth) + close.repeat(depth);

describe("free values", () => {
  it.each([
    "9007199254740993",
    "-9223372036854775808",
    "1.10",
    "-0",
    "1e400",
    "1E-7",
    "true",
    "null",
    '""',
    '"\\u0041\\n\\"\\\\"',
    '"\\ud800"',
    '"\\u0000"',
    '"a\\\\"',
    `"${'\\"'.repeat(100)}"`,
    `"${"\\\\".repeat(100)}"`,
    `"${"x".repeat(47)}\\"${"y".repeat(60)}"`,
    '{"a":1,"a":2}',
    '{"10":1,"2":2,"1":{}}',
    '{"__proto__":{"x":1},"constructor":null}',
    '{ "a" : [ 1 ,\t2 ]\r\n}',
    "[]",
    "{}",
    '"]}"',
    '["\\"]", "{"]',
    '"🦊 é \u2028"',
  ])("%s comes back character for character, at every place it may stand", (free) => {
    expect(metadata(`{"action":"a.b","metadata":${free},"reason":"x"}`)).toBe(free);
    expect(metadata(` { "metadata" :\n ${free} \t} `)).toBe(free);
    expect(metadata(`{"metadata":${free}}`, DETAIL_SHAPE)).toBe(free);
    const text = `{"actor":{"metadata":${free}},"targets":[{"id":"a"},{"metadata":${free}}],"changes":{"after":${free}}}`;
    const node = scanned(text);
    const cut = (span: SourceNode | undefined) => span && text.slice(span.start, span.end);
    expect(cut(node.members?.get("actor")?.members?.get("metadata"))).toBe(free);
    expect(cut(node.members?.get("targets")?.items?.[1]?.members?.get("metadata"))).toBe(free);
    expect(node.members?.get("targets")?.items?.[0]?.members?.get("metadata")).toBeUndefined();
    expect(cut(node.members?.get("changes")?.members?.get("after"))).toBe(free);
    expect(node.members?.get("changes")?.members?.get("before")).toBeUndefined();
  });

  it("are found whatever surrounds them", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(value, value, fc.nat(3), (free, other, space) => {
        const source = JSON.stringify(free, null, space);
        const plain = JSON.stringify(other, null, space);
        if (faults(`{"context":${plain}}`).length > 0) return;
        const text = `{"context":${plain},"metadata":${source}}`;
        expect(metadata(text)).toBe(source);
      }),
      { numRuns: 1_000 },
    );
  });

  it("are found under an escaped name, which is the same name", () => {
    expect(metadata('{"met\\u0061data":1.10}')).toBe("1.10");
    expect(metadata('{"Metadata":1,"metadata2":2}')).toBeUndefined();
  });

  it("are found in each line of a larger text, from where it starts", () => {
    const lines = ['{"metadata":1}', '{"metadata":[2]}'];
    const text = lines.join("\n");
    const second = scanned(text, EVENT_SHAPE, 15).members?.get("metadata");
    expect(text.slice(second?.start, second?.end)).toBe("[2]");
    expect(scanned("1.5\n2", { kind: "free" })).toEqual({ start: 0, end: 3 });
  });

  it("are found in each event of a batch, in order", () => {
    const text = '{"events":[{"metadata":1},{},{"metadata":3}]}';
    const items = scanned(text, BATCH).members?.get("events")?.items ?? [];
    const cut = items
      .map((node) => node.members?.get("metadata"))
      .map((span) => span && text.slice(span.start, span.end));
    expect(cut).toEqual(["1", undefined, "3"]);
    expect(text.slice(items[1]?.start, items[1]?.end)).toBe("{}");
  });

  it("are not looked for in a value of another kind than its shape", () => {
    expect(
      scanned('{"actor":[{"metadata":1}],"targets":{"metadata":2},"changes":"x"}').members?.get("actor")?.members,
    ).toBeUndefined();
    expect(faults('{"targets":{"metadata":{"a":1,"a":2}}}')).toEqual(["/targets/metadata/a"]);
    expect(scanned("[1]")).toEqual({ start: 0, end: 3 });
  });
});

describe("names", () => {
  it.each([
    ['{"action":1,"action":2}', ["/action"]],
    ['{"action":1,"\\u0061ction":2}', ["/action"]],
    ['{"\\u0061ction":1,"act\\u0069on":2}', ["/action"]],
    ['{"metadata":1,"metadata":2}', ["/metadata"]],
    ['{"actor":{"id":1,"id":2}}', ["/actor/id"]],
    ['{"targets":[{},{"type":1,"type":2}]}', ["/targets/1/type"]],
    ['{"context":{"a/b~c":1,"a/b~c":2}}', ["/context/a~1b~0c"]],
    ['{"changes":{"before":{},"before":{}}}', ["/changes/before"]],
    ['{"x":{"y":{"z":1,"z":1,"z":1}}}', ["/x/y/z", "/x/y/z"]],
    ['{"":1,"":2}', ["/"]],
    ['{"a":1,"b":2,"A":3,"a ":4}', []],
    ['{"context":{"a":1},"outcome":{"a":1},"a":1}', []],
  ])("given more than once are faults: %s", (text, pointers) => {
    expect(faults(text)).toEqual(pointers);
  });

  it("of one hash are not taken for one name", () => {
    expect(faults('{"Aa":1,"BB":2,"AaAa":3,"BBBB":4,"AaBB":5}')).toEqual([]);
    expect(faults('{"Aa":1,"BB":2,"Aa":3}')).toEqual(["/Aa"]);
  });

  it.each(['{"__proto__":1}', '{"\\u005f_proto__":1}'])("__proto__ is a fault: %s", (text) => {
    expect(faults(text)).toEqual(["/__proto__"]);
    expect(faults(`{"context":${text}}`)).toEqual(["/context/__proto__"]);
    expect(faults(`{"metadata":${text},"changes":{"before":${text}}}`)).toEqual([]);
  });

  it("are compared in linear time, however many", () => {
    const names = Array.from({ length: 200_000 }, (_, n) => `"n${n}":0`);
    const started = process.cpuUsage();
    expect(faults(`{${names.join(",")}}`)).toEqual([]);
    expect(faults(`{${names.join(",")},"n7":0,"n199999":0}`)).toEqual(["/n7", "/n199999"]);
    // What this process worked, whatever else the machine does: compared pair by pair, they take minutes.
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(5_000);
  });

  it("are checked in nested objects of every size", () => {
    const sizes = fc.array(fc.nat(24), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, fc.nat(), (counts, pick) => {
        const build = (level: number): string => {
          const members = Array.from({ length: counts[level] ?? 0 }, (_, n) => `"m${n}":${n}`);
          if (level + 1 < counts.length) members.splice(pick % (members.length + 1), 0, `"in":${build(level + 1)}`);
          return `{${members.join(",")}}`;
        };
        expect(faults(build(0))).toEqual([]);
        if (counts.length > 1) expect(faults(build(0).replace("{", '{"in":0,'))).toEqual(["/in"]);
      }),
    );
  });

  it("name at most 20 faults", () => {
    expect(faults(`{${Array.from({ length: 50 }, () => '"a":1').join(",")}}`)).toHaveLength(20);
  });
});

describe("depth", () => {
  it("64 levels are taken, counted from the event itself", () => {
    expect(faults(`{"metadata":${nested(63)}}`)).toEqual([]);
    expect(faults(`{"metadata":${nested(63, '{"a":', "}").replace('{"a":}', "{}")}}`)).toEqual([]);
    expect(faults(`{"actor":{"metadata":${nested(62)}}}`)).toEqual([]);
    expect(faults(`{"targets":[{"metadata":${nested(61)}}]}`)).toEqual([]);
    expect(faults(`{"context":${nested(63)}}`)).toEqual([]);
    expect(faults(`{"events":[{"metadata":${nested(63)}},{"x":${nested(63)}}]}`, BATCH)).toEqual([]);
  });

  it("65 levels are a fault, named at the free value or the value itself", () => {
    expect(faults(`{"metadata":${nested(64)}}`)).toEqual(["/metadata"]);
    expect(faults(`{"actor":{"metadata":${nested(63)}}}`)).toEqual(["/actor/metadata"]);
    expect(faults(`{"targets":[{},{"metadata":${nested(62)}}]}`)).toEqual(["/targets/1/metadata"]);
    expect(faults(`{"x":${nested(64)}}`)).toEqual([`/x${"/0".repeat(63)}`]);
    expect(faults(`{"events":[{},{"metadata":${nested(64)}}]}`, BATCH)).toEqual(["/events/1/metadata"]);
    expect(faults(nested(65), PLAIN)).toEqual(["/0".repeat(64)]);
  });

  it.each([20_000, 1_000_000])("%i levels are one fault and overflow nothing", (depth) => {
    expect(faults(`{"metadata":${nested(depth)}}`)).toEqual(["/metadata"]);
    expect(faults(`{"x":${nested(depth)}}`)).toHaveLength(1);
    expect(faults(`{"changes":{"before":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}}`)).toEqual(["/changes/before"]);
  });

  it("is counted anew only inside an event", () => {
    expect(faults(`{"events":[{"x":[1]}],"x":${nested(63)}}`, BATCH)).toEqual([]);
    expect(faults(`{"events":[{"x":[1]}],"x":${nested(64)}}`, BATCH)).toEqual([`/x${"/0".repeat(63)}`]);
  });

  it("ends the scan, with the faults found before it", () => {
    expect(faults(`{"a":1,"a":2,"metadata":${nested(64)},"a":3}`)).toEqual(["/a", "/metadata"]);
  });

  it("does not carry over to the next scan", () => {
    expect(faults(`{"x":${nested(70)}}`)).toHaveLength(1);
    expect(faults('{"x":{"y":[1]},"z":1}')).toEqual([]);
  });
});

describe("a text that JSON.parse did not accept", () => {
  it.each([
    "{",
    '{"a',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    "[",
    "[1",
    '"',
    '{"a":"x',
    `{"a":"${"x".repeat(99)}`,
    '{"metadata":[',
    '{"metadata":{"a',
  ])("never hangs the scan: %s", (text) => {
    const shapes = [EVENT_SHAPE, PLAIN, CHANGES_SHAPE, { kind: "free" } as const];
    for (const shape of shapes) {
      try {
        scanSource(text, shape, LIMITS);
      } catch (error) {
        expect(String(error)).toContain("invariant broken");
      }
    }
  });
});
